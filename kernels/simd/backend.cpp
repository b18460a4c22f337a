// The simd implementation's manifest. Not here: the primitives.
#include "kernels/simd/backend.h"

#include "kernels/manifest.h"
#include "kernels/simd/primitives.h"

namespace cairn::simd {

namespace {

constexpr std::string_view kLacking[] = {"sgd_steps"};

Status prepare(cairn::Stream* stream, const Conv2dShape* shape, const void* weight, void* prepared, int64_t* count) {
  try {
    *count = prepare_conv2d(cpu::unwrap(stream), *shape, weight, prepared);
    return 0;
  } catch (const std::exception& error) {
    cpu::set_last_error(error.what());
    return 1;
  }
}

}  // namespace

const Backend& backend() {
  using cpu::entry_if;
  static const Backend filled =
      cpu::with_services({.name = "simd",
                          .falls_back = "reference",
                          .supports_f64 = 0,
                          .summary = "the fast CPU implementation: packed, vectorised and threaded, float32",
                          .prepare_conv2d = prepare,

#define CAIRN_PRIMITIVE(family, name, Args) .name = entry_if<has(kLacking, #family, #name), name>(),
                          CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
      });
  return filled;
}

}  // namespace cairn::simd
