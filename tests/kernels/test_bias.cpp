// Bias and its gradient, alone or with ReLU. Not here: its fusion into gemm (test_gemm.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

// How far the sum over the rows of each column may be off.
Tolerance column_sums(const Values& values, int64_t rows, int64_t columns, DType real) {
  Tolerance tolerance;
  for (int64_t c = 0; c < columns; ++c) {
    double magnitude = 1;  // |initial| <= 1
    for (int64_t r = 0; r < rows; ++r) magnitude += std::fabs(values[static_cast<size_t>(r * columns + c)]);
    tolerance.each.push_back(sum_bound(rows + 1, magnitude, real));
  }
  return tolerance;
}

std::string text(int64_t rows, int64_t columns, int turn) {
  return shape_text({{"rows", rows}, {"columns", columns}, {"turn", turn}});
}

}  // namespace

TEST_CASE("bias_forward") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const bool in_place = turn % 2, relu = turn / 2;
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout layout(rows, columns);
          const Values x = reals(layout.count(), 1);
          // One rounding of a sum no larger than 2.
          void* y = call.output("y", layout, {.absolute = 2 * unit(real)}, in_place ? x : Values{});
          const BiasForwardArgs args{.dtype = call.real(),
                                     .rows = rows,
                                     .columns = columns,
                                     .x = in_place ? y : call.input("x", layout, x),
                                     .bias = call.input("bias", columns, reals(columns, 2)),
                                     .y = y,
                                     .relu = relu};
          return call.invoke(&Backend::bias_forward, args);
        };
        check({.primitive = "bias_forward",
               .shape = text(rows, columns, turn),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const BiasForwardArgs args{.dtype = call.real(),
                                 .rows = 2,
                                 .columns = 2,
                                 .x = call.input("x", {2, 2}, {1, 2, 3, -40}),
                                 .bias = call.input("bias", 2, {-2, 10}),
                                 .y = call.output("y", {2, 2}, {}),
                                 .relu = 1};
      return call.invoke(&Backend::bias_forward, args);
    };
    check({.primitive = "bias_forward", .shape = "by hand", .real = real, .run = run, .expected = {{0, 12, 1, 0}}});
  }
}

TEST_CASE("bias_backward") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const bool accumulate = turn % 2, whole_numbers = turn / 2;
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout layout(rows, columns);
          const Values dy = whole_numbers ? integers(layout.count(), 1) : reals(layout.count(), 1);
          const Tolerance tolerance = whole_numbers ? Tolerance{} : column_sums(dy, rows, columns, real);
          const Values initial = accumulate ? integers(columns, 2, -1, 1) : Values{};
          const BiasBackwardArgs args{.dtype = call.real(),
                                      .rows = rows,
                                      .columns = columns,
                                      .dy = call.input("dy", layout, dy),
                                      .dbias = call.output("dbias", columns, tolerance, initial),
                                      .accumulate = accumulate};
          return call.invoke(&Backend::bias_backward, args);
        };
        check({.primitive = "bias_backward",
               .shape = text(rows, columns, turn),
               .real = real,
               .offset = rows % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const BiasBackwardArgs args{.dtype = call.real(),
                                  .rows = 3,
                                  .columns = 2,
                                  .dy = call.input("dy", {3, 2}, {1, 2, 3, 4, 5, -7}),
                                  .dbias = call.output("dbias", 2, {}, {100, 200}),
                                  .accumulate = 1};
      return call.invoke(&Backend::bias_backward, args);
    };
    check({.primitive = "bias_backward", .shape = "by hand", .real = real, .run = run, .expected = {{109, 199}}});
  }
}

TEST_CASE("bias_relu_backward") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      for (int turn = 0; turn < 6; ++turn) {
        const bool in_place = turn % 2, has_bias = turn < 4, accumulate = turn / 2 % 2;
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout layout(rows, columns);
          const Values dy = reals(layout.count(), 1);
          void* dz = call.output("dz", layout, {}, in_place ? dy : Values{});
          const Values initial = accumulate ? reals(columns, 3) : Values{};
          const BiasReluBackwardArgs args{
              .dtype = call.real(),
              .rows = rows,
              .columns = columns,
              .dy = in_place ? dz : call.input("dy", layout, dy),
              .y = call.input("y", layout, relu_output(layout.count(), 2)),
              .dz = dz,
              .dbias =
                  has_bias ? call.output("dbias", columns, column_sums(dy, rows, columns, real), initial) : nullptr,
              .accumulate = accumulate};
          return call.invoke(&Backend::bias_relu_backward, args);
        };
        check({.primitive = "bias_relu_backward",
               .shape = text(rows, columns, turn),
               .real = real,
               .offset = rows % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const BiasReluBackwardArgs args{.dtype = call.real(),
                                      .rows = 2,
                                      .columns = 2,
                                      .dy = call.input("dy", {2, 2}, {1, 2, 3, 4}),
                                      .y = call.input("y", {2, 2}, {0, 5, 6, 0}),
                                      .dz = call.output("dz", {2, 2}, {}),
                                      .dbias = call.output("dbias", 2, {}, {10, 20}),
                                      .accumulate = 1};
      return call.invoke(&Backend::bias_relu_backward, args);
    };
    check({.primitive = "bias_relu_backward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{0, 2, 3, 0}, {13, 22}}});
  }
}

}  // namespace cairn::test
