// add, multiply, scale, copies of rows and tanh. Not here: what has a bias (test_bias.cpp) or draws random numbers
// (test_random_dropout.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

enum Alias { kNone, kOutIsA, kOutIsB, kAliases };

// Every order of magnitude that a float has, both signs, from the smallest denormal to the largest number.
Values floats_of_all_sizes() {
  Values values;
  for (int exponent = -149; exponent < 128; ++exponent)
    for (double mantissa : {1.0, 1.375, 1.9375})
      for (double sign : {1.0, -1.0}) values.push_back(static_cast<float>(sign * std::ldexp(mantissa, exponent)));
  return values;
}

// How far a tanh may be off: 4 units in the last place, which for a denormal result is an absolute error.
Tolerance tanh_tolerance(DType real) {
  return {.absolute = real == DType::f32 ? 0x1p-149 : 0, .relative = 8 * unit(real)};
}

// One rounding of f(a, b) and one of the addition, each of a value no larger than 2 * largest.
Tolerance two_roundings(DType real, double largest) {
  return {.absolute = 4 * unit(real) * largest};
}

void check_binary(const char* primitive, Primitive<BinaryArgs> Backend::*entry) {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (int turn = 0; turn < 2 * kAliases; ++turn) {
        const int alias = turn % kAliases;
        const bool accumulate = turn / kAliases;
        const auto run = [=](Call& call) {
          const Values a = reals(count, 1), b = reals(count, 2);
          const Values initial = alias == kOutIsA ? a : alias == kOutIsB ? b : accumulate ? reals(count, 3) : Values{};
          void* out = call.output("out", count, two_roundings(real, 1), initial);
          const BinaryArgs args{.dtype = call.real(),
                                .count = count,
                                .a = alias == kOutIsA ? out : call.input("a", count, a),
                                .b = alias == kOutIsB ? out : call.input("b", count, b),
                                .out = out,
                                .accumulate = accumulate};
          return call.invoke(entry, args);
        };
        const std::string shape = shape_text({{"count", count}, {"alias", alias}, {"accumulate", accumulate}});
        check({.primitive = primitive, .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
  }
}

void check_by_hand(const char* primitive, Primitive<BinaryArgs> Backend::*entry, const Values& expected) {
  for (DType real : kReals) {
    const auto run = [=](Call& call) {
      const BinaryArgs args{.dtype = call.real(),
                            .count = 3,
                            .a = call.input("a", 3, {1, -2, 0.5}),
                            .b = call.input("b", 3, {4, 3, 8}),
                            .out = call.output("out", 3, {}, {100, 200, 300}),
                            .accumulate = 1};
      return call.invoke(entry, args);
    };
    check({.primitive = primitive, .shape = "by hand", .real = real, .run = run, .expected = {expected}});
  }
}

}  // namespace

TEST_CASE("add") {
  check_binary("add", &Backend::add);
  check_by_hand("add", &Backend::add, {105, 201, 308.5});
}

TEST_CASE("multiply") {
  check_binary("multiply", &Backend::multiply);
  check_by_hand("multiply", &Backend::multiply, {104, 194, 304});
}

TEST_CASE("scale") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const bool in_place = turn % 2, accumulate = turn / 2;
        const double factor = turn == 3 ? -1.0 / 3 : 0.375;
        const auto run = [=](Call& call) {
          const Values x = reals(count, 1);
          const Values initial = in_place ? x : accumulate ? reals(count, 2) : Values{};
          // The factor itself is rounded to the arrays' type.
          void* out = call.output("out", count, two_roundings(real, 1.5), initial);
          const ScaleArgs args{.dtype = call.real(),
                               .count = count,
                               .x = in_place ? out : call.input("x", count, x),
                               .out = out,
                               .factor = factor,
                               .accumulate = accumulate};
          return call.invoke(&Backend::scale, args);
        };
        const std::string shape = shape_text({{"count", count}, {"in_place", in_place}, {"accumulate", accumulate}});
        check({.primitive = "scale", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const ScaleArgs args{.dtype = call.real(),
                           .count = 2,
                           .x = call.input("x", 2, {4, -6}),
                           .out = call.output("out", 2, {}, {1, 1}),
                           .factor = 0.5,
                           .accumulate = 1};
      return call.invoke(&Backend::scale, args);
    };
    check({.primitive = "scale", .shape = "by hand", .real = real, .run = run, .expected = {{3, -2}}});
  }
}

TEST_CASE("copy_rows") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      for (int turn = 0; turn < 6; ++turn) {
        const bool accumulate = turn % 2;
        const int64_t x_gap = turn < 2 ? 0 : 3, y_gap = turn < 4 ? 0 : 130;
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout x(rows, columns, columns + x_gap), y(rows, columns, columns + y_gap);
          const Tolerance tolerance = accumulate ? two_roundings(real, 1) : Tolerance{};
          const CopyRowsArgs args{.dtype = call.real(),
                                  .rows = rows,
                                  .columns = columns,
                                  .x = call.input("x", x, reals(x.count(), 1)),
                                  .x_stride = x.leading,
                                  .y = call.output("y", y, tolerance, accumulate ? reals(y.count(), 2) : Values{}),
                                  .y_stride = y.leading,
                                  .accumulate = accumulate};
          return call.invoke(&Backend::copy_rows, args);
        };
        check({.primitive = "copy_rows",
               .shape = shape_text({{"rows", rows}, {"columns", columns}, {"turn", turn}}),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const CopyRowsArgs args{.dtype = call.real(),
                              .rows = 2,
                              .columns = 2,
                              .x = call.input("x", {2, 2, 3}, {1, 2, 3, 4}),
                              .x_stride = 3,
                              .y = call.output("y", {2, 2, 5}, {}, {10, 20, 30, 40}),
                              .y_stride = 5,
                              .accumulate = 1};
      return call.invoke(&Backend::copy_rows, args);
    };
    check({.primitive = "copy_rows", .shape = "by hand", .real = real, .run = run, .expected = {{11, 22, 33, 44}}});
  }
}

TEST_CASE("tanh_forward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool in_place : {false, true}) {
        const auto run = [=](Call& call) {
          const Values x = reals(count, 1, -10, 10);
          void* y = call.output("y", count, tanh_tolerance(real), in_place ? x : Values{});
          const TanhForwardArgs args{
              .dtype = call.real(), .count = count, .x = in_place ? y : call.input("x", count, x), .y = y};
          return call.invoke(&Backend::tanh_forward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"in_place", in_place}});
        check({.primitive = "tanh_forward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto check_values = [=](const char* shape, const Values& x, const std::vector<Values>& expected) {
      const auto run = [=](Call& call) {
        const auto count = static_cast<int64_t>(x.size());
        const TanhForwardArgs args{.dtype = call.real(),
                                   .count = count,
                                   .x = call.input("x", count, x),
                                   .y = call.output("y", count, tanh_tolerance(real), Values(x.size(), 7))};
        return call.invoke(&Backend::tanh_forward, args);
      };
      check({.primitive = "tanh_forward", .shape = shape, .real = real, .run = run, .expected = expected});
    };
    check_values("over the whole range", floats_of_all_sizes(), {});
    // Published values; long enough for a vector path and its tail.
    Values x, expected;
    for (int i = 0; i < 21; ++i) {
      for (double value : {0.5, kNan, -1.0, kInfinity, 0.0, -kInfinity, 2.0}) x.push_back(value);
      for (double value : {0.46211715726000976, kNan, -0.76159415595576489, 1.0, 0.0, -1.0, 0.96402758007581688})
        expected.push_back(value);
    }
    check_values("by hand", x, {expected});
  }
}

TEST_CASE("tanh_backward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool accumulate : {false, true}) {
        const auto run = [=](Call& call) {
          const TanhBackwardArgs args{
              .dtype = call.real(),
              .count = count,
              .dy = call.input("dy", count, reals(count, 1)),
              .y = call.input("y", count, reals(count, 2)),
              .dx = call.output("dx", count, two_roundings(real, 1), accumulate ? reals(count, 3) : Values{}),
              .accumulate = accumulate};
          return call.invoke(&Backend::tanh_backward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"accumulate", accumulate}});
        check({.primitive = "tanh_backward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const TanhBackwardArgs args{.dtype = call.real(),
                                  .count = 4,
                                  .dy = call.input("dy", 4, {4, 6, 7, 8}),
                                  .y = call.input("y", 4, {0.5, 0, 1, -0.25}),
                                  .dx = call.output("dx", 4, {}, {10, 20, 30, 40}),
                                  .accumulate = 1};
      return call.invoke(&Backend::tanh_backward, args);
    };
    check(
        {.primitive = "tanh_backward", .shape = "by hand", .real = real, .run = run, .expected = {{13, 26, 30, 47.5}}});
  }
}

// An array as a whole minus the same array in pieces of 1, 2, 3, ... elements must be exactly 0: an element's bits may
// not depend on where threads cut the work. (Enough elements for a rare difference in the last place to show.)
TEST_CASE("tanh: the same bits however the work is cut") {
  constexpr int64_t kCount = 2080;
  for (bool forward : {true, false}) {
    for (DType real : kReals) {
      const auto run = [=](Call& call) {
        const auto* in = static_cast<const char*>(call.input("in", kCount, reals(kCount, 1, -2, 2)));
        const auto* y = static_cast<const char*>(call.input("y", kCount, reals(kCount, 2)));
        auto* whole = static_cast<char*>(call.output("whole", kCount, {}, Values(kCount, 0)));
        void* pieces = call.output("pieces", kCount, {.absolute = 8});
        const int64_t size = call.real() == DType::f64 ? 8 : 4;
        const auto compute = [&](int64_t begin, int64_t count, void* out) {
          if (forward)
            return call.invoke(&Backend::tanh_forward, TanhForwardArgs{call.real(), count, in + begin * size, out});
          return call.invoke(&Backend::tanh_backward,
                             TanhBackwardArgs{call.real(), count, in + begin * size, y + begin * size, out, 0});
        };
        Status status = compute(0, kCount, whole);
        for (int64_t begin = 0, count = 1; begin < kCount; begin += count++)
          status |= compute(begin, std::min(count, kCount - begin), static_cast<char*>(pieces) + begin * size);
        const ScaleArgs subtract{call.real(), kCount, pieces, whole, -1, 1};
        return status | call.invoke(&Backend::scale, subtract);
      };
      check({.primitive = forward ? "tanh_forward" : "tanh_backward",
             .shape = "whole and in pieces",
             .real = real,
             .offset = 1,
             .run = run,
             .expected = {Values(kCount, 0), Values(kCount, 0)}});
    }
  }
}

}  // namespace cairn::test
