// ReLU, tanh, sigmoid and GELU, forward and backward. Not here: their fusion into other primitives (test_bias.cpp,
// test_gemm.cpp).
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

// How far a sigmoid may be off: 4 units in the last place. Where e^-x is at the end of what a float holds, the result,
// below twice the smallest normal number, may be 0.
Tolerance sigmoid_tolerance(DType real) {
  return {.absolute = real == DType::f32 ? 0x1p-125 : 0, .relative = 8 * unit(real)};
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

TEST_CASE("sigmoid_forward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool in_place : {false, true}) {
        const auto run = [=](Call& call) {
          const Values x = reals(count, 1, -20, 20);
          void* y = call.output("y", count, sigmoid_tolerance(real), in_place ? x : Values{});
          const SigmoidForwardArgs args{
              .dtype = call.real(), .count = count, .x = in_place ? y : call.input("x", count, x), .y = y};
          return call.invoke(&Backend::sigmoid_forward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"in_place", in_place}});
        check({.primitive = "sigmoid_forward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto check_values = [=](const char* shape, const Values& x, const std::vector<Values>& expected) {
      const auto run = [=](Call& call) {
        const auto count = static_cast<int64_t>(x.size());
        const SigmoidForwardArgs args{.dtype = call.real(),
                                      .count = count,
                                      .x = call.input("x", count, x),
                                      .y = call.output("y", count, sigmoid_tolerance(real), Values(x.size(), 7))};
        return call.invoke(&Backend::sigmoid_forward, args);
      };
      check({.primitive = "sigmoid_forward", .shape = shape, .real = real, .run = run, .expected = expected});
    };
    check_values("over the whole range", floats_of_all_sizes(), {});
    Values steps;  // past both ends of the exponential of a float, near -88
    for (int i = -1700; i <= 1700; ++i) steps.push_back(i / 16.0);
    check_values("from end to end", steps, {});
    // (1 + tanh(x / 2)) / 2, of published values; long enough for a vector path and its tail.
    Values x, expected;
    for (int i = 0; i < 21; ++i) {
      for (double value : {1.0, kNan, -2.0, kInfinity, 0.0, -kInfinity, 4.0, 1000.0, -1000.0}) x.push_back(value);
      for (double value :
           {0.73105857863000488, kNan, 0.11920292202211756, 1.0, 0.5, 0.0, 0.98201379003790844, 1.0, 0.0})
        expected.push_back(value);
    }
    check_values("by hand", x, {expected});
  }
}

TEST_CASE("sigmoid_backward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool accumulate : {false, true}) {
        const auto run = [=](Call& call) {
          const SigmoidBackwardArgs args{
              .dtype = call.real(),
              .count = count,
              .dy = call.input("dy", count, reals(count, 1)),
              .y = call.input("y", count, reals(count, 2, 0, 1)),
              .dx = call.output("dx", count, two_roundings(real, 1), accumulate ? reals(count, 3) : Values{}),
              .accumulate = accumulate};
          return call.invoke(&Backend::sigmoid_backward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"accumulate", accumulate}});
        check({.primitive = "sigmoid_backward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const SigmoidBackwardArgs args{.dtype = call.real(),
                                     .count = 5,
                                     .dy = call.input("dy", 5, {4, 6, 7, 8, kNan}),
                                     .y = call.input("y", 5, {0.5, 0, 1, 0.25, 0.5}),
                                     .dx = call.output("dx", 5, {}, {10, 20, 30, 40, 50}),
                                     .accumulate = 1};
      return call.invoke(&Backend::sigmoid_backward, args);
    };
    check({.primitive = "sigmoid_backward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{11, 20, 30, 41.5, kNan}}});
  }
}

// 8 units of x: the probability beside it is known to that of 1, which is how exact 1 + erf is; one more for what is
// rounded to a denormal.
Tolerance gelu_tolerance(const Values& x, DType real) {
  Tolerance tolerance{.absolute = real == DType::f32 ? 0x1p-149 : 0};
  for (double value : x) tolerance.each.push_back(std::isfinite(value) ? 8 * unit(real) * std::abs(value) : 0);
  return tolerance;
}

TEST_CASE("gelu_forward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool in_place : {false, true}) {
        const auto run = [=](Call& call) {
          const Values x = reals(count, 1, -10, 10);
          void* y = call.output("y", count, gelu_tolerance(x, real), in_place ? x : Values{});
          const GeluForwardArgs args{
              .dtype = call.real(), .count = count, .x = in_place ? y : call.input("x", count, x), .y = y};
          return call.invoke(&Backend::gelu_forward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"in_place", in_place}});
        check({.primitive = "gelu_forward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto check_values = [=](const char* shape, const Values& x, const std::vector<Values>& expected) {
      const auto run = [=](Call& call) {
        const auto count = static_cast<int64_t>(x.size());
        const GeluForwardArgs args{.dtype = call.real(),
                                   .count = count,
                                   .x = call.input("x", count, x),
                                   .y = call.output("y", count, gelu_tolerance(x, real), Values(x.size(), 7))};
        return call.invoke(&Backend::gelu_forward, args);
      };
      check({.primitive = "gelu_forward", .shape = shape, .real = real, .run = run, .expected = expected});
    };
    check_values("over the whole range", floats_of_all_sizes(), {});
    // Published values of the normal distribution; long enough for a vector path and its tail.
    Values x, expected;
    for (int i = 0; i < 21; ++i) {
      for (double value : {0.5, kNan, -1.0, kInfinity, 0.0, 2.0, -20.0}) x.push_back(value);
      for (double value : {0.34573123063700656, kNan, -0.15865525393145707, kInfinity, 0.0, 1.9544997361036416, 0.0})
        expected.push_back(value);
    }
    check_values("by hand", x, {expected});
  }
}

TEST_CASE("gelu_backward") {
  for (DType real : kReals) {
    const Tolerance tolerance{.absolute = 16 * unit(real)};  // of a slope of at most 1.13, and of the sum
    for (int64_t count : vector_sizes()) {
      for (bool accumulate : {false, true}) {
        const auto run = [=](Call& call) {
          const GeluBackwardArgs args{
              .dtype = call.real(),
              .count = count,
              .dy = call.input("dy", count, reals(count, 1)),
              .x = call.input("x", count, reals(count, 2, -10, 10)),
              .dx = call.output("dx", count, tolerance, accumulate ? reals(count, 3) : Values{}),
              .accumulate = accumulate};
          return call.invoke(&Backend::gelu_backward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"accumulate", accumulate}});
        check({.primitive = "gelu_backward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [=](Call& call) {
      const GeluBackwardArgs args{.dtype = call.real(),
                                  .count = 5,
                                  .dy = call.input("dy", 5, {4, 1, 1, 1, -1}),
                                  .x = call.input("x", 5, {0, 1, -1, 20, -20}),
                                  .dx = call.output("dx", 5, {.absolute = 32 * unit(real)}, {10, 0, 0, 0, 0.5}),
                                  .accumulate = 1};
      return call.invoke(&Backend::gelu_backward, args);
    };
    const Values expected = {12, 1.0833154705876864, -0.0833154705876864, 1, 0.5};
    check({.primitive = "gelu_backward", .shape = "by hand", .real = real, .run = run, .expected = {expected}});
  }
}

// An array as a whole minus the same array in pieces of 1, 2, 3, ... elements must be exactly 0: an element's bits may
// not depend on where threads cut the work. (Enough elements for a rare difference in the last place to show.)
// compute(call, begin, count, in, second, out) is one call of the primitive.
template <class Compute>
void check_pieces(const char* primitive, const Compute& compute) {
  constexpr int64_t kCount = 2080;
  for (DType real : kReals) {
    const auto run = [=](Call& call) {
      const auto* in = static_cast<const char*>(call.input("in", kCount, reals(kCount, 1, -2, 2)));
      const auto* second = static_cast<const char*>(call.input("second", kCount, reals(kCount, 2)));
      auto* whole = static_cast<char*>(call.output("whole", kCount, {}, Values(kCount, 0)));
      auto* pieces = static_cast<char*>(call.output("pieces", kCount, {.absolute = 8}));
      const int64_t size = call.real() == DType::f64 ? 8 : 4;
      Status status = compute(call, kCount, in, second, whole);
      for (int64_t begin = 0, count = 1; begin < kCount; begin += count++) {
        const int64_t at = begin * size;
        status |= compute(call, std::min(count, kCount - begin), in + at, second + at, pieces + at);
      }
      const ScaleArgs subtract{call.real(), kCount, pieces, whole, -1, 1};
      return status | call.invoke(&Backend::scale, subtract);
    };
    check({.primitive = primitive,
           .shape = "whole and in pieces",
           .real = real,
           .offset = 1,
           .run = run,
           .expected = {Values(kCount, 0), Values(kCount, 0)}});
  }
}

TEST_CASE("tanh: the same bits however the work is cut") {
  check_pieces("tanh_forward", [](Call& call, int64_t count, const void* x, const void*, void* y) {
    return call.invoke(&Backend::tanh_forward, TanhForwardArgs{call.real(), count, x, y});
  });
  check_pieces("tanh_backward", [](Call& call, int64_t count, const void* dy, const void* y, void* dx) {
    return call.invoke(&Backend::tanh_backward, TanhBackwardArgs{call.real(), count, dy, y, dx, 0});
  });
}

TEST_CASE("sigmoid: the same bits however the work is cut") {
  check_pieces("sigmoid_forward", [](Call& call, int64_t count, const void* x, const void*, void* y) {
    return call.invoke(&Backend::sigmoid_forward, SigmoidForwardArgs{call.real(), count, x, y});
  });
  check_pieces("sigmoid_backward", [](Call& call, int64_t count, const void* dy, const void* y, void* dx) {
    return call.invoke(&Backend::sigmoid_backward, SigmoidBackwardArgs{call.real(), count, dy, y, dx, 0});
  });
}

TEST_CASE("gelu: the same bits however the work is cut") {
  check_pieces("gelu_forward", [](Call& call, int64_t count, const void* x, const void*, void* y) {
    return call.invoke(&Backend::gelu_forward, GeluForwardArgs{call.real(), count, x, y});
  });
  check_pieces("gelu_backward", [](Call& call, int64_t count, const void* dy, const void* x, void* dx) {
    return call.invoke(&Backend::gelu_backward, GeluBackwardArgs{call.real(), count, dy, x, dx, 0});
  });
}

}  // namespace cairn::test
