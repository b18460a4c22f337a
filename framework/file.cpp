// POSIX files. The descriptor that was examined is the one that is read, so nothing can be swapped in between.
#include "framework/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "framework/error.h"
#include "framework/message.h"

namespace cairn {
namespace {

constexpr const char* kTemporaryMark = ".tmp-";

std::string reason() {
  return std::strerror(errno);
}

// What a system call says where a file system lacks the means, as some of networks and of FUSE do.
bool is_unsupported(int error) {
  return error == EINVAL || error == ENOTSUP || error == EOPNOTSUPP || error == ENOSYS || error == ENOLCK;
}

// False: the system refused, and errno says why.
bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

// The temporary file of one write: removed again unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) : target_(target) {
    static std::atomic<unsigned> made{0};
    do {
      path_ = target;
      path_ += kTemporaryMark + std::to_string(getpid()) + "-" + std::to_string(made++);
      descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) fail("cannot be written");
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(path_.c_str());
  }

  void append(std::span<const std::byte> bytes) {
    if (!write_all(descriptor_, bytes)) fail("cannot be written");
  }

  void rename_to_target() {
    if (!flush_to_disk(descriptor_, target_)) fail("cannot be flushed to disk");
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail("cannot be written");
    if (rename(path_.c_str(), target_.c_str()) != 0) fail("cannot be put in place");
    renamed_ = true;
  }

 private:
  [[noreturn]] void fail(const char* what) {
    const std::string text = target_.string() + ": " + what + ": " + reason();
    // The destructor does not run for an exception from the constructor; there is then no file either.
    throw IoError(text);
  }

  std::filesystem::path target_, path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

// Of a file name that TemporaryFile made: "-", the process and a number.
bool is_temporary_suffix(std::string_view text) {
  const auto digits = [&] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count > 0;
  };
  if (!digits() || text.empty() || text.front() != '-') return false;
  text.remove_prefix(1);
  return digits() && text.empty();
}

}  // namespace

bool flush_to_disk(int descriptor, const std::filesystem::path& path) {
  if (fsync(descriptor) == 0) return true;
  if (!is_unsupported(errno)) return false;
  static std::atomic<bool> told{false};
  if (!told.exchange(true))
    say(path.string() + ": its file system cannot flush this to disk (" + reason() +
        "): after a power cut the last files may be missing");
  return true;
}

void flush_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = descriptor >= 0 && flush_to_disk(descriptor, folder);
  const std::string why = reason();
  if (descriptor >= 0) close(descriptor);
  if (!flushed) throw IoError(path.string() + ": its folder cannot be flushed to disk: " + why);
}

bool names_pipe(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  return path == "-" ||
         (exists(status) && !std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status));
}

InputFile::InputFile(const std::filesystem::path& path, Pipes pipes) : path_(path) {
  const bool standard_input = pipes == Pipes::read && path == "-";
  // Without O_NONBLOCK, opening a named pipe waits for a writer, for ever where nobody meant one.
  const int flags = O_RDONLY | O_CLOEXEC | (pipes == Pipes::refuse ? O_NONBLOCK : 0);
  descriptor_ = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path.c_str(), flags);
  if (descriptor_ < 0) throw DataError(path.string() + ": cannot be opened: " + reason());
  try {
    struct stat status;
    if (fstat(descriptor_, &status) != 0) throw DataError(path.string() + ": cannot be examined: " + reason());
    if (S_ISDIR(status.st_mode)) throw DataError(path.string() + ": is a directory, not a file");
    piped_ = standard_input || !S_ISREG(status.st_mode);
    if (piped_ && pipes == Pipes::refuse) throw DataError(path.string() + ": is not a regular file");
    size_ = static_cast<uint64_t>(status.st_size);
    if (piped_) read_pipe();
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

InputFile::~InputFile() {
  close(descriptor_);
}

void InputFile::read_pipe() {
  constexpr size_t kBlock = size_t{1} << 18;
  size_t done = 0;
  for (;;) {
    from_pipe_.resize(done + kBlock);
    const ssize_t count = ::read(descriptor_, from_pipe_.data() + done, kBlock);
    pollfd more{descriptor_, POLLIN, 0};
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN && poll(&more, 1, -1) >= 0) continue;  // a pipe that somebody made non-blocking
    if (count < 0) throw DataError(path_.string() + ": cannot be read: " + reason());
    if (count == 0) break;
    done += static_cast<size_t>(count);
    if (done > kMostPipedBytes)
      throw DataError(path_.string() + ": gives more than the " + std::to_string(kMostPipedBytes) +
                      " bytes that are accepted");
  }
  from_pipe_.resize(done);
  size_ = done;
}

void InputFile::read(uint64_t offset, std::span<std::byte> to) const {
  if (piped_) {
    if (offset > size_ || to.size() > size_ - offset) throw DataError(path_.string() + ": ends early");
    std::copy_n(from_pipe_.begin() + static_cast<ptrdiff_t>(offset), to.size(), to.begin());
    return;
  }
  while (!to.empty()) {
    const ssize_t count = pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw DataError(path_.string() + ": cannot be read: " + reason());
    if (count == 0) throw DataError(path_.string() + ": became shorter while it was read");
    to = to.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts) {
  // Renaming over a device or a pipe would destroy it.
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    throw IoError(path.string() + (S_ISDIR(status.st_mode) ? ": cannot be written: it is a directory"
                                                           : ": cannot be written: it is not a regular file"));
  TemporaryFile file(path);
  for (const std::span<const std::byte> part : parts) file.append(part);
  file.rename_to_target();
  flush_folder_of(path);
}

void append_to_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat before {};
  bool done = descriptor >= 0 && fstat(descriptor, &before) == 0 && write_all(descriptor, bytes);
  std::string why = done ? "" : reason();
  if (!done && S_ISREG(before.st_mode) && ftruncate(descriptor, before.st_size) != 0) why += "; its end is damaged";
  if (descriptor >= 0 && close(descriptor) != 0 && done) {
    done = false;
    why = reason();
  }
  if (!done) throw IoError(path.string() + ": cannot be written: " + why);
}

void remove_stale_temporaries(const std::filesystem::path& folder, std::span<const char* const> files) {
  std::error_code ignored;  // what cannot be listed or removed does no harm
  std::vector<std::filesystem::path> stale;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    for (const std::string file : files)
      if (const std::string name = entry.path().filename(), begin = file + kTemporaryMark;
          name.rfind(begin, 0) == 0 && is_temporary_suffix(std::string_view(name).substr(begin.size())) &&
          entry.symlink_status(ignored).type() == std::filesystem::file_type::regular)
        stale.push_back(entry.path());
  for (const std::filesystem::path& path : stale) std::filesystem::remove(path, ignored);
}

Lock try_lock(int folder, const std::filesystem::path& path) {
  if (flock(folder, LOCK_EX | LOCK_NB) == 0) return Lock::held;
  if (errno == EWOULDBLOCK) return Lock::taken;
  if (!is_unsupported(errno)) return Lock::refused;
  static std::atomic<bool> told{false};
  if (!told.exchange(true))
    say(path.string() + ": its file system has no locks (" + reason() +
        "): see to it that no other process writes there");
  return Lock::none;
}

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw IoError(folder.string() + ": cannot be opened: " + reason());
  const Lock lock = try_lock(descriptor_, folder);
  held_ = lock == Lock::held;
  if (held_ || lock == Lock::none) return;
  const std::string why = reason();
  close(descriptor_);
  throw IoError(folder.string() +
                (lock == Lock::taken ? ": another process is writing in this folder" : ": cannot be locked: " + why));
}

FolderLock::~FolderLock() {
  close(descriptor_);
}

std::string without_controls(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::string in_quotes(const std::string& text) {
  constexpr size_t kLongest = 80;
  size_t end = std::min(kLongest, text.size());
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // whole characters
  return "'" + without_controls(text.substr(0, end)) + (end < text.size() ? "...'" : "'");
}

}  // namespace cairn
