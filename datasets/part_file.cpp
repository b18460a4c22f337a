#include "datasets/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "datasets/sha256.h"
#include "framework/error.h"
#include "framework/file.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

std::string fault(const fs::path& path, const char* what) {
  return fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno));
}

}  // namespace

PartFile::PartFile(const fs::path& destination) : destination_(destination), path_(destination.string() + ".part") {
  // Never through a link that somebody left there, and without waiting for the reader of a pipe.
  descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (descriptor_ < 0) throw IoError(fault(path_, "cannot be written"));
  struct stat status;
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor_);
    throw IoError(path_ + ": cannot be written: it is not a regular file");
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

PartFile::~PartFile() {
  close(descriptor_);
  if (!published_ && size_ == 0) unlink(path_.c_str());
}

void PartFile::append(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw RunError(fault(path_, "cannot be written"));
    size_ += static_cast<uint64_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void PartFile::truncate(uint64_t size) {
  if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0) throw RunError(fault(path_, "cannot be shortened"));
  size_ = size;
}

std::string PartFile::sha256() const {
  Sha256 hash;
  std::vector<uint8_t> buffer(size_t{1} << 20);
  for (uint64_t done = 0; done < size_;) {
    const ssize_t count = pread(descriptor_, buffer.data(), buffer.size(), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw RunError(fault(path_, "cannot be read"));
    if (count == 0) break;  // cut short by somebody else: then the hash is another one
    hash.update({buffer.data(), static_cast<size_t>(count)});
    done += static_cast<uint64_t>(count);
  }
  return hash.finish();
}

void PartFile::publish() {
  if (!flush_to_disk(descriptor_, path_)) throw RunError(fault(path_, "cannot be flushed to disk"));
  if (std::rename(path_.c_str(), destination_.c_str()) != 0)
    throw IoError(fault(destination_, "cannot be put in place"));
  published_ = true;
  try {
    flush_folder_of(destination_);
  } catch (const IoError& error) {
    throw RunError(error.what());
  }
}

}  // namespace cairn::datasets
