// The kernel tests' entry: "--impl=name/where" runs them over that implementation alone, otherwise they run over all
// that have a device. An implementation without a device is not a pass: exit code 77, which ctest reports as skipped.
// "--every-kernel": it is a failure when the executor has a kernel that no test has launched, once the sweep is whole.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "kernels/registry.h"
#include "kernels/runtime/cpu/address_sanitizer.h"
#include "kernels/runtime/simt/kernel_list.h"
#include "kernels/runtime/simt/kernel_name.h"
#include "tests/kernels/harness.h"

#if CAIRN_ADDRESS_SANITIZER
// Memory that there is not is refused, as without the sanitizer, which would end the program: tests ask for too much.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}
#endif

namespace {

// How many kernels were never launched; prints their names.
int count_unlaunched() {
  int listed = 0, missing = 0;
  for (const auto* kernel = cairn::simt::ListedKernel::first; kernel; kernel = kernel->next) {
    ++listed;
    if (kernel->launched) continue;
    ++missing;
    std::printf("no test launches %s\n", cairn::simt::kernel_name(kernel->signature).c_str());
  }
  std::printf("%d of %d kernels were launched\n", listed - missing, listed);
  return listed == 0 ? 1 : missing;
}

}  // namespace

int main(int count, char** arguments) {
  constexpr int kSkipped = 77;
  constexpr const char* kFlag = "--impl=";
  bool every_kernel = false;
  try {
    for (int i = 1; i < count; ++i) {
      every_kernel = every_kernel || std::strcmp(arguments[i], "--every-kernel") == 0;
      if (std::strncmp(arguments[i], kFlag, std::strlen(kFlag)) != 0) continue;
      const char* name = arguments[i] + std::strlen(kFlag);
      if (cairn::test::select_implementation(name).device_count() > 0) continue;
      std::printf("skipped: %s has no device on this machine\n", name);
      return kSkipped;
    }
    for (const cairn::Backend* backend : cairn::compiled_backends())
      if (backend->device_count() == 0)
        std::printf("not tested: %s has no device on this machine\n", cairn::test::place_of(*backend).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  doctest::Context context(count, arguments);
  const int result = context.run();
  cairn::test::close_streams();
  if (result != 0 || !every_kernel) return result;
  if (cairn::test::small_sweep()) {
    std::printf("not asked in a small sweep: whether every kernel is launched\n");
    return 0;
  }
  return count_unlaunched() > 0 ? 1 : 0;
}
