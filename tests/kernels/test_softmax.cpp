// softmax_forward and softmax_backward. Not here: the fused loss (test_losses.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

std::string text(int64_t rows, int64_t columns, int turn) {
  return shape_text({{"rows", rows}, {"columns", columns}, {"turn", turn}});
}

// Relative error of exp(x - maximum) / sum: the difference x - maximum of up to `range` is rounded, and so its
// exponential is off by that many units; exp, the sum and the division add a few.
Tolerance softmax_tolerance(int64_t columns, double range, DType real) {
  const double units = range + 8 + 4 * std::sqrt(static_cast<double>(columns));
  return {.absolute = tiny(real), .relative = 2 * units * unit(real)};
}

}  // namespace

TEST_CASE("softmax_forward") {
  struct Range {
    double low, high;
  };
  // The last ones overflow or vanish without the shift by the row's maximum.
  constexpr Range kRanges[] = {{-4, 4}, {-60, 60}, {1000, 1010}, {-1e4, 1e4}};
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const auto [low, high] = kRanges[turn];
        const auto run = [=, rows = rows, columns = columns, low = low, high = high](Call& call) {
          const Layout layout(rows, columns);
          const SoftmaxForwardArgs args{.dtype = call.real(),
                                        .rows = rows,
                                        .columns = columns,
                                        .x = call.input("x", layout, reals(layout.count(), 1, low, high)),
                                        .y = call.output("y", layout, softmax_tolerance(columns, high - low, real))};
          return call.invoke(&Backend::softmax_forward, args);
        };
        check({.primitive = "softmax_forward",
               .shape = text(rows, columns, turn),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    const auto run = [=](Call& call) {
      const SoftmaxForwardArgs args{.dtype = call.real(),
                                    .rows = 2,
                                    .columns = 3,
                                    .x = call.input("x", {2, 3}, {0, 0, -1e30, 5, 5, 5}),
                                    .y = call.output("y", {2, 3}, softmax_tolerance(3, 0, real))};
      return call.invoke(&Backend::softmax_forward, args);
    };
    check({.primitive = "softmax_forward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{0.5, 0.5, 0, 1.0 / 3, 1.0 / 3, 1.0 / 3}}});
  }
}

TEST_CASE("softmax_backward") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      for (bool accumulate : {false, true}) {
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout layout(rows, columns);
          // y in [0, 2 / columns] and |dy| <= 1, so that the terms of each row's sum add up to at most 2.
          const Values& y = reals(layout.count(), 1, 0, 2.0 / std::max<double>(1, static_cast<double>(columns)));
          Tolerance tolerance;
          for (double value : y)
            tolerance.each.push_back(value * (sum_bound(columns, 2, real) + 8 * unit(real)) +
                                     (accumulate ? 4 * unit(real) : 0));
          const Values initial = accumulate ? reals(layout.count(), 3) : Values{};
          const SoftmaxBackwardArgs args{.dtype = call.real(),
                                         .rows = rows,
                                         .columns = columns,
                                         .y = call.input("y", layout, y),
                                         .dy = call.input("dy", layout, reals(layout.count(), 2)),
                                         .dx = call.output("dx", layout, tolerance, initial),
                                         .accumulate = accumulate};
          return call.invoke(&Backend::softmax_backward, args);
        };
        check({.primitive = "softmax_backward",
               .shape = text(rows, columns, accumulate),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const SoftmaxBackwardArgs args{.dtype = call.real(),
                                     .rows = 1,
                                     .columns = 2,
                                     .y = call.input("y", {1, 2}, {0.25, 0.75}),
                                     .dy = call.input("dy", {1, 2}, {4, 8}),
                                     .dx = call.output("dx", {1, 2}, {}, {1, 1}),
                                     .accumulate = 1};
      return call.invoke(&Backend::softmax_backward, args);
    };
    check({.primitive = "softmax_backward", .shape = "by hand", .real = real, .run = run, .expected = {{0.25, 1.75}}});
  }
}

}  // namespace cairn::test
