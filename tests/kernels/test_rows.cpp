// select_batch and gather_bytes. Not here: products with byte matrices (test_byte_linear.cpp).
#include <doctest/doctest.h>

#include "tests/kernels/harness.h"

namespace cairn::test {

TEST_CASE("select_batch") {
  for (int64_t batch_size : edge_sizes()) {
    for (int64_t rows : {batch_size, batch_size / 3}) {
      for (int64_t step : {0, 2, 7, 13}) {
        constexpr int64_t kStepsPerEpoch = 5, kImages = 211;
        const auto run = [=](Call& call) {
          // No longer than this step's batch asks for, and holding no index beyond the last image.
          const int64_t ordered = step % kStepsPerEpoch * batch_size + rows;
          const SelectBatchArgs args{
              .order = call.typed_input<int32_t>("order", integers(ordered, 1, 0, kImages - 1)),
              .all_labels = call.typed_input<uint8_t>("all_labels", integers(kImages, 2, 0, 255)),
              .step = call.typed_input<int64_t>("step", {static_cast<double>(step)}),
              .steps_per_epoch = kStepsPerEpoch,
              .batch_size = batch_size,
              .rows = rows,
              .index = call.typed_output<int32_t>("index", rows, {}),
              .labels = call.typed_output<int32_t>("labels", rows, {})};
          return call.invoke(&Backend::select_batch, args);
        };
        const std::string shape = shape_text({{"batch_size", batch_size}, {"rows", rows}, {"step", step}});
        check({.primitive = "select_batch", .shape = shape, .offset = batch_size % 2, .run = run});
      }
    }
  }
  const auto run = [](Call& call) {  // step 4 of 3 an epoch: the second batch
    const SelectBatchArgs args{.order = call.typed_input<int32_t>("order", {5, 4, 3, 2, 1, 0}),
                               .all_labels = call.typed_input<uint8_t>("all_labels", {10, 11, 12, 13, 14, 200}),
                               .step = call.typed_input<int64_t>("step", {4}),
                               .steps_per_epoch = 3,
                               .batch_size = 2,
                               .rows = 2,
                               .index = call.typed_output<int32_t>("index", 2, {}),
                               .labels = call.typed_output<int32_t>("labels", 2, {})};
    return call.invoke(&Backend::select_batch, args);
  };
  check({.primitive = "select_batch", .shape = "by hand", .run = run, .expected = {{3, 2}, {13, 12}}});
}

TEST_CASE("gather_bytes") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      for (bool indexed : {false, true}) {
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const int64_t images = indexed ? rows + 7 : rows;
          const ByteRows x{
              .bytes = call.typed_input<uint8_t>("bytes", integers(images * columns, 1, 0, 255)),
              .index = indexed ? call.typed_input<int32_t>("index", integers(rows, 2, 0, static_cast<int>(images) - 1))
                               : nullptr,
              .rows = rows,
              .columns = columns,
              .scale = 1.0f / 255 / 0.3081f,
              .shift = -0.1307f / 0.3081f};
          // The product of up to 3.3 and the sum are each rounded once.
          const GatherBytesArgs args{
              .dtype = call.real(), .x = x, .out = call.output("out", {rows, columns}, {.absolute = 8 * unit(real)})};
          return call.invoke(&Backend::gather_bytes, args);
        };
        check({.primitive = "gather_bytes",
               .shape = shape_text({{"rows", rows}, {"columns", columns}, {"indexed", indexed}}),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const GatherBytesArgs args{.dtype = call.real(),
                                 .x = {.bytes = call.typed_input<uint8_t>("bytes", {0, 1, 2, 3, 254, 255}),
                                       .index = call.typed_input<int32_t>("index", {2, 0}),
                                       .rows = 2,
                                       .columns = 2,
                                       .scale = 0.5f,
                                       .shift = -1},
                                 .out = call.output("out", {2, 2}, {})};
      return call.invoke(&Backend::gather_bytes, args);
    };
    check({.primitive = "gather_bytes",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{126, 126.5, -1, -0.5}}});
  }
}

}  // namespace cairn::test
