// add, multiply, scale, broadcast_scalar and copies of rows. Not here: what has a bias (test_bias.cpp) or draws random
// numbers (test_random.cpp).
#include <doctest/doctest.h>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

enum Alias { kNone, kOutIsA, kOutIsB, kAliases };

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

TEST_CASE("broadcast_scalar") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool accumulate : {false, true}) {
        const auto run = [=](Call& call) {
          // factor, product and sum are each rounded once; none exceeds 2.
          const BroadcastScalarArgs args{
              .dtype = call.real(),
              .count = count,
              .x = call.input("x", 1, {1.25}),
              .out = call.output("out", count, {.absolute = 6 * unit(real)}, accumulate ? reals(count, 2) : Values{}),
              .factor = 1.0 / 3,
              .accumulate = accumulate};
          return call.invoke(&Backend::broadcast_scalar, args);
        };
        const std::string shape = shape_text({{"count", count}, {"accumulate", accumulate}});
        check({.primitive = "broadcast_scalar", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const BroadcastScalarArgs args{.dtype = call.real(),
                                     .count = 2,
                                     .x = call.input("x", 1, {3}),
                                     .out = call.output("out", 2, {}, {10, 20}),
                                     .factor = 0.5,
                                     .accumulate = 1};
      return call.invoke(&Backend::broadcast_scalar, args);
    };
    check({.primitive = "broadcast_scalar", .shape = "by hand", .real = real, .run = run, .expected = {{11.5, 21.5}}});
  }
}

}  // namespace cairn::test
