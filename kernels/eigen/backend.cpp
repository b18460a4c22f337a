// The eigen implementation's manifest. Not here: the primitives.
#include "kernels/eigen/backend.h"

#include "kernels/eigen/primitives.h"
#include "kernels/manifest.h"

namespace cairn::eigen {

namespace {

// Of these Eigen has nothing, and of tanh and sigmoid a form whose bits depend on where in an array an element stands.
constexpr std::string_view kLacking[] = {"random", "pooling",    "normalisation", "rows",         "augment",
                                         "clock",  "optimizers", "sgd_steps",     "tanh_forward", "sigmoid_forward"};

}  // namespace

const Backend& backend() {
  using cpu::entry_if;
  static const Backend filled = cpu::with_services(
      {.name = "eigen",
       .falls_back = "simd",
       .supports_f64 = 0,
       .summary = "what a library gives you: products, reductions and expressions of Eigen's, float32",

#define CAIRN_PRIMITIVE(family, name, Args) .name = entry_if<has(kLacking, #family, #name), name>(),
       CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
      });
  return filled;
}

}  // namespace cairn::eigen
