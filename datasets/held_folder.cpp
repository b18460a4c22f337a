#include "datasets/held_folder.h"
#include "framework/message.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "framework/file.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPause{100};

IoError cannot(const fs::path& path, const char* what, const std::string& why) {
  return IoError(fmt::format("{}: cannot be {}: {}", path.string(), what, why));
}

void create_folders(const fs::path& path, std::vector<fs::path>& created) {
  std::error_code error;
  for (fs::path missing = path; !missing.empty() && !fs::exists(missing, error); missing = missing.parent_path())
    created.push_back(missing);
  fs::create_directories(path, error);
  if (error) throw cannot(path, "created", error.message());
}

}  // namespace

HeldFolder::HeldFolder(const fs::path& path, bool quiet, const std::atomic<bool>* stop) : path_(path) {
  for (bool told = quiet; !try_lock(); told = true) {
    if (!told) say("waiting for another process that downloads into " + path.string());
    if (stop != nullptr && *stop) throw InterruptedError("interrupted while waiting for " + path.string());
    std::this_thread::sleep_for(kPause);
  }
}

// False: another process holds it, or has just removed it.
bool HeldFolder::try_lock() {
  create_folders(path_, created_);
  descriptor_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) throw cannot(path_, "opened", std::strerror(errno));
  struct stat held, there;
  const Lock lock = cairn::try_lock(descriptor_, path_);
  if (lock == Lock::none) return true;
  if (lock == Lock::held) {
    const bool same = fstat(descriptor_, &held) == 0 && stat(path_.c_str(), &there) == 0 &&
                      held.st_ino == there.st_ino && held.st_dev == there.st_dev;
    if (same) return true;
  } else if (lock == Lock::refused) {
    const std::string why = std::strerror(errno);
    close(descriptor_);
    throw cannot(path_, "locked", why);
  }
  close(descriptor_);
  return false;
}

HeldFolder::~HeldFolder() {
  std::error_code ignored;  // a folder that is not empty stays
  for (const fs::path& path : created_) fs::remove(path, ignored);
  close(descriptor_);
}

}  // namespace cairn::datasets
