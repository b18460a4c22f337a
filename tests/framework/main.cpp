// The framework tests' entry. Implementations without a device on this machine are named, not passed over in silence.
#include <doctest/doctest.h>

#include <cstdio>

#include "framework/device.h"
#include "kernels/registry.h"
#include "tests/framework/support.h"

// The out-of-memory tests ask for more than there is: AddressSanitizer must refuse that as malloc does, by null.
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}

int main(int count, char** arguments) {
  for (const cairn::Backend* backend : cairn::compiled_backends())
    if (backend->device_count() == 0)
      std::printf("not tested: %s on %s has no device on this machine\n", backend->name,
                  cairn::name_of(backend->where));
  doctest::Context context(count, arguments);
  const int result = context.run();
  cairn::test::close_devices();
  return result;
}
