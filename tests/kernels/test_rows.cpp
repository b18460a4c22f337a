// select_rows and gather_rows. Not here: products with byte matrices (test_byte_linear.cpp).
#include <doctest/doctest.h>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct Rows {
  DType from, to;  // f64: the type that the implementation under test has
  int64_t rows, channels, plane;
  bool indexed, scaled;
};

const void* place_values(Call& call, DType from, int64_t count) {
  if (from == DType::u8) return call.typed_input<uint8_t>("x", integers(count, 1, 0, 255));
  if (from == DType::i32) return call.typed_input<int32_t>("x", integers(count, 1, -30000, 30000));
  return call.typed_input<float>("x", reals(count, 1, -4, 4));
}

Status gather(Call& call, const Rows& r) {
  const int64_t images = r.indexed ? r.rows + 7 : r.rows, columns = r.channels * r.plane;
  const bool whole = r.to == DType::i32;
  // A product of up to 30000 * 4 (255 * 4 of bytes) and its sum are each rounded once.
  const double largest = r.from == DType::u8 ? 1020 : r.from == DType::i32 ? 120000 : 16;
  const Tolerance tolerance{.absolute = r.scaled ? 4 * largest * unit(call.real()) : 0};
  GatherRowsArgs args{.from = r.from, .to = whole ? DType::i32 : call.real()};
  args.rows = r.rows;
  args.channels = r.channels;
  args.plane = r.plane;
  args.x = place_values(call, r.from, images * columns);
  if (r.indexed) args.index = call.typed_input<int32_t>("index", integers(r.rows, 2, 0, static_cast<int>(images) - 1));
  if (r.scaled) {
    args.scale = call.typed_input<float>("scale", reals(r.channels, 3, -4, 4));
    args.shift = call.typed_input<float>("shift", reals(r.channels, 4));
  }
  const Layout layout{r.rows, columns};
  args.out =
      whole ? static_cast<void*>(call.typed_output<int32_t>("out", layout, {})) : call.output("out", layout, tolerance);
  return call.invoke(&Backend::gather_rows, args);
}

void check_gather(DType real, const Rows& r) {
  check({.primitive = "gather_rows",
         .shape = shape_text({{"rows", r.rows},
                              {"channels", r.channels},
                              {"plane", r.plane},
                              {"from", static_cast<int64_t>(r.from)},
                              {"to", static_cast<int64_t>(r.to)},
                              {"indexed", r.indexed},
                              {"scaled", r.scaled}}),
         .real = real,
         .offset = (r.rows + r.plane) % 2,
         .run = [=](Call& call) { return gather(call, r); }});
}

}  // namespace

TEST_CASE("select_rows") {
  for (int64_t batch_size : edge_sizes()) {
    for (int64_t rows : {batch_size, batch_size / 3}) {
      for (int64_t step : {0, 2, 7, 13}) {
        constexpr int64_t kStepsPerEpoch = 5;
        const auto run = [=](Call& call) {
          // No longer than this step's batch asks for.
          const int64_t ordered = step % kStepsPerEpoch * batch_size + rows;
          const SelectRowsArgs args{.order = call.typed_input<int32_t>("order", integers(ordered, 1, 0, 210)),
                                    .step = call.typed_input<int64_t>("step", {static_cast<double>(step)}),
                                    .steps_per_epoch = kStepsPerEpoch,
                                    .batch_size = batch_size,
                                    .rows = rows,
                                    .index = call.typed_output<int32_t>("index", rows, {})};
          return call.invoke(&Backend::select_rows, args);
        };
        const std::string shape = shape_text({{"batch_size", batch_size}, {"rows", rows}, {"step", step}});
        check({.primitive = "select_rows", .shape = shape, .offset = batch_size % 2, .run = run});
      }
    }
  }
  const auto run = [](Call& call) {  // step 4 of 3 an epoch: the second batch
    const SelectRowsArgs args{.order = call.typed_input<int32_t>("order", {5, 4, 3, 2, 1, 0}),
                              .step = call.typed_input<int64_t>("step", {4}),
                              .steps_per_epoch = 3,
                              .batch_size = 2,
                              .rows = 2,
                              .index = call.typed_output<int32_t>("index", 2, {})};
    return call.invoke(&Backend::select_rows, args);
  };
  check({.primitive = "select_rows", .shape = "by hand", .run = run, .expected = {{3, 2}}});
}

TEST_CASE("gather_rows of bytes") {
  for (DType real : kReals)
    for (auto [rows, columns] : matrix_sizes())
      for (bool indexed : {false, true}) check_gather(real, {DType::u8, DType::f64, rows, 1, columns, indexed, true});
}

TEST_CASE("gather_rows from every type to every type, by channels") {
  for (DType real : kReals) {
    for (DType from : {DType::u8, DType::i32, DType::f32}) {
      for (int64_t channels : {int64_t{1}, int64_t{3}, int64_t{5}, int64_t{0}}) {
        for (int64_t plane : {int64_t{1}, int64_t{2}, int64_t{49}, int64_t{255}, int64_t{300}, int64_t{0}}) {
          for (bool scaled : {false, true}) {
            check_gather(real, {from, DType::f64, 9, channels, plane, plane % 2 == 1, scaled});
            if (from != DType::f32 && !scaled)
              check_gather(real, {from, DType::i32, 9, channels, plane, plane % 2 == 1, false});
          }
        }
      }
    }
  }
}

TEST_CASE("gather_rows of labels") {
  for (int64_t rows : edge_sizes())
    for (DType from : {DType::u8, DType::i32}) check_gather(DType::f32, {from, DType::i32, rows, 1, 1, true, false});
}

TEST_CASE("gather_rows by hand") {
  for (DType real : kReals) {
    const auto run = [](Call& call) {
      GatherRowsArgs args{.from = DType::u8, .to = call.real(), .rows = 2, .channels = 2, .plane = 2};
      args.x = call.typed_input<uint8_t>("x", {0, 1, 2, 3, 20, 21, 22, 23, 252, 253, 254, 255});
      args.index = call.typed_input<int32_t>("index", {2, 0});
      args.scale = call.typed_input<float>("scale", {0.5, 2});
      args.shift = call.typed_input<float>("shift", {-1, 3});
      args.out = call.output("out", {2, 4}, {});
      return call.invoke(&Backend::gather_rows, args);
    };
    check({.primitive = "gather_rows",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{125, 125.5, 511, 513, -1, -0.5, 7, 9}}});
  }
}

}  // namespace cairn::test
