// POSIX reading: one open file is examined and read, so nothing can be swapped between the check and the read.
#include "datasets/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "framework/error.h"

namespace cairn::datasets {
namespace {

struct FileDescriptor {
  int value;
  ~FileDescriptor() {
    if (value >= 0) close(value);
  }
};

}  // namespace

Bytes read_file(const std::filesystem::path& path) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
  const FileDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.value < 0) throw DataError(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  struct stat status;
  if (fstat(file.value, &status) != 0) {
    throw DataError(fmt::format("{}: cannot be examined: {}", path.string(), std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) throw DataError(fmt::format("{}: is a directory, not a file", path.string()));
  if (!S_ISREG(status.st_mode)) throw DataError(fmt::format("{}: is not a regular file", path.string()));
  if (status.st_size > kMaxFileBytes) {
    throw DataError(fmt::format("{}: has {} bytes, more than the {} that are accepted", path.string(),
                                static_cast<int64_t>(status.st_size), kMaxFileBytes));
  }

  Bytes bytes(static_cast<size_t>(status.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = read(file.value, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw DataError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
    if (count == 0) throw DataError(fmt::format("{}: became shorter while it was read", path.string()));
    done += static_cast<size_t>(count);
  }
  return bytes;
}

}  // namespace cairn::datasets
