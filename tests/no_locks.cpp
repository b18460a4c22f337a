// Preloaded into a program, this makes every file system one without locks and without flushing of folders, as some of
// networks and of FUSE are: flock, and fsync of a folder, fail with the error $CAIRN_TEST_ERRNO. Files are flushed.
#include <dlfcn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

int refused() {
  errno = std::atoi(std::getenv("CAIRN_TEST_ERRNO"));
  return -1;
}

}  // namespace

extern "C" int flock(int, int) noexcept {
  return refused();
}

extern "C" int fsync(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) return refused();
  const auto real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
  return real(descriptor);
}
