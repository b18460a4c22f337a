// add, multiply and scale. Not here: what has a bias (test_bias_relu.cpp) or draws random numbers (test_dropout.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

enum Alias { kNone, kOutIsA, kOutIsB, kAliases };

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

}  // namespace cairn::test
