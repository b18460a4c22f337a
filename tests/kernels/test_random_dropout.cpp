// dropout: its mask, its scale, and that the backward pass draws the same mask. Not here: the generator
// (test_random.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/philox.h"
#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

// Magnitudes of at least 1: a zero in the output is a dropped element, never a small input.
Values inputs(int64_t count) {
  return reals(count, 1, 1, 3);
}

}  // namespace

TEST_CASE("dropout") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      int turn = 0;
      for (double probability : {0.0, 0.1, 0.5, 0.875}) {
        for (bool accumulate : {false, true}) {
          const bool in_place = ++turn % 3 == 0;
          const auto run = [=](Call& call) {
            const Values x = inputs(count);
            // One rounding of the factor 1 / (1 - probability), one of the product, one of the sum.
            const double largest = 3 / (1 - probability) + 3;
            void* y = call.output("y", count, {.absolute = 3 * unit(real) * largest},
                                  in_place     ? x
                                  : accumulate ? reals(count, 2)
                                               : Values{});
            const DropoutArgs args{.dtype = call.real(),
                                   .count = count,
                                   .x = in_place ? y : call.input("x", count, x),
                                   .y = y,
                                   .probability = probability,
                                   .seed = 0x9E3779B97F4A7C15,
                                   .layer = 3,
                                   .step = call.typed_input<int64_t>("step", {12345}),
                                   .accumulate = accumulate};
            return call.invoke(&Backend::dropout, args);
          };
          check({.primitive = "dropout",
                 .shape = shape_text({{"count", count},
                                      {"permille", static_cast<int64_t>(probability * 1000)},
                                      {"in_place", in_place},
                                      {"accumulate", accumulate}}),
                 .real = real,
                 .offset = count % 2,
                 .run = run});
        }
      }
    }
  }
}

// The mask is a pure function of (seed, layer, step, element): written out here from the generator, for two steps and
// two layers, so that a step or a layer that is ignored shows.
TEST_CASE("dropout: the mask follows seed, layer and step") {
  for (DType real : kReals) {
    for (uint32_t layer : {0u, 7u}) {
      for (int64_t step : {0, 1}) {
        constexpr int64_t kCount = 1000;
        constexpr double kProbability = 0.5;
        Values expected(kCount);
        int kept = 0;
        for (size_t i = 0; i < expected.size(); ++i) {
          const bool keep = philox::uniform_at(42, layer, static_cast<uint32_t>(step), i) >= kProbability;
          expected[i] = keep ? 2 * inputs(kCount)[i] : 0;
          kept += keep;
        }
        CHECK(std::abs(kept - 500) < 5 * std::sqrt(250.0));
        const auto run = [=](Call& call) {
          const DropoutArgs args{.dtype = call.real(),
                                 .count = kCount,
                                 .x = call.input("x", kCount, inputs(kCount)),
                                 .y = call.output("y", kCount, {}),
                                 .probability = kProbability,
                                 .seed = 42,
                                 .layer = layer,
                                 .step = call.typed_input<int64_t>("step", {static_cast<double>(step)}),
                                 .accumulate = 0};
          return call.invoke(&Backend::dropout, args);
        };
        const std::string shape = shape_text({{"layer", layer}, {"step", step}});
        check({.primitive = "dropout", .shape = shape, .real = real, .run = run, .expected = {expected}});
      }
    }
  }
}

}  // namespace cairn::test
