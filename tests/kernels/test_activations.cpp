// ReLU and tanh, forward and backward. Not here: their fusion into other primitives (test_bias.cpp, test_gemm.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

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

}  // namespace

TEST_CASE("relu_forward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool in_place : {false, true}) {
        const auto run = [=](Call& call) {
          const Values x = reals(count, 1);
          void* y = call.output("y", count, {}, in_place ? x : Values{});
          const ReluForwardArgs args{
              .dtype = call.real(), .count = count, .x = in_place ? y : call.input("x", count, x), .y = y};
          return call.invoke(&Backend::relu_forward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"in_place", in_place}});
        check({.primitive = "relu_forward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    // A diverging network must show itself: nan stays nan. Long enough for a vector path and its tail.
    Values x, expected;
    for (int i = 0; i < 21; ++i) {
      for (double value : {-1.0, kNan, 2.0, 0.0, -kInfinity}) x.push_back(value);
      for (double value : {0.0, kNan, 2.0, 0.0, 0.0}) expected.push_back(value);
    }
    const auto run = [=](Call& call) {
      const auto count = static_cast<int64_t>(x.size());
      const ReluForwardArgs args{.dtype = call.real(),
                                 .count = count,
                                 .x = call.input("x", count, x),
                                 .y = call.output("y", count, {}, Values(x.size(), 7))};
      return call.invoke(&Backend::relu_forward, args);
    };
    check({.primitive = "relu_forward",
           .shape = "with nan and infinity",
           .real = real,
           .run = run,
           .expected = {expected}});
  }
}

TEST_CASE("relu_backward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool accumulate : {false, true}) {
        const auto run = [=](Call& call) {
          const Tolerance one_rounding{.absolute = accumulate ? 2 * unit(real) : 0};
          const ReluBackwardArgs args{
              .dtype = call.real(),
              .count = count,
              .dy = call.input("dy", count, reals(count, 1)),
              .y = call.input("y", count, relu_output(count, 2)),
              .dx = call.output("dx", count, one_rounding, accumulate ? reals(count, 3) : Values{}),
              .accumulate = accumulate};
          return call.invoke(&Backend::relu_backward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"accumulate", accumulate}});
        check({.primitive = "relu_backward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const ReluBackwardArgs args{.dtype = call.real(),
                                  .count = 3,
                                  .dy = call.input("dy", 3, {5, 6, 7}),
                                  .y = call.input("y", 3, {1, 0, 2}),
                                  .dx = call.output("dx", 3, {}, {10, 20, 30}),
                                  .accumulate = 1};
      return call.invoke(&Backend::relu_backward, args);
    };
    check({.primitive = "relu_backward", .shape = "by hand", .real = real, .run = run, .expected = {{15, 20, 37}}});
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
