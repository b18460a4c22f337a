// Tensors as values: contents, views, rows of a byte data set, and what they refuse.
#include <doctest/doctest.h>

#include "framework/error.h"
#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "framework/row_scale.h"
#include "tests/framework/op_cases.h"
#include "tests/framework/support.h"

namespace cairn::test {
TEST_CASE("values go to the device and come back") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const std::vector<uint8_t> bytes = {0, 7, 255};
    CHECK(Tensor::from_host<uint8_t>(device, {3}, bytes).to_host<uint8_t>() == bytes);
    const std::vector<int64_t> wide = {INT64_MIN, -1, INT64_MAX};
    CHECK(Tensor::from_host<int64_t>(device, {3, 1}, wide).to_host<int64_t>() == wide);
    const std::vector<double> doubles = {0.1, -1e300};
    CHECK(Tensor::from_host<double>(device, {2}, doubles).to_host<double>() == doubles);
    CHECK(Tensor::zeros(device, {2, 2}, DType::i32).to_host<int32_t>() == std::vector<int32_t>(4, 0));
    CHECK(tensor_of(device, {}, DType::f32, {2.5}).item() == 2.5);
    CHECK(Tensor::from_host<uint8_t>(device, {1, 1}, std::vector<uint8_t>{9}).item() == 9);
  }
}

TEST_CASE("reading and setting refuse other sizes and types") {
  Tensor x = Tensor::zeros(reference(), {2, 3});
  CHECK(refusal([&] { x.to_host<double>(); }) == "reading a tensor of f32 as f64");
  CHECK(refusal([&] { x.set<float>(std::vector<float>(5)); }) == "setting a tensor of f32[2, 3] from 5 values of f32");
  CHECK(refusal([&] { x.set<double>(std::vector<double>(6)); }) ==
        "setting a tensor of f32[2, 3] from 6 values of f64");
  CHECK(refusal([&] { x.item(); }) == "item() needs a tensor of one element, not [2, 3]");
  CHECK(refusal([&] { Tensor::from_host<float>(reference(), {2}, std::vector<float>(3)); }) ==
        "setting a tensor of f32[2] from 3 values of f32");
}

TEST_CASE("a view shares storage and not the graph") {
  Tensor x = tensor_of(reference(), {2, 3}, DType::f32, {1, 2, 3, 4, 5, 6});
  x.set_requires_grad(true);
  const Tensor view = x.detach_as({3, 2});
  CHECK(view.data() == x.data());
  CHECK_FALSE(view.requires_grad());
  CHECK(reshape(x, {6}).data() == x.data());
  CHECK(reshape(x, {6}).requires_grad());
  CHECK(flatten(Tensor::zeros(reference(), {2, 3, 4, 5})).shape() == Shape{2, 60});
  CHECK(flatten(Tensor::zeros(reference(), {4})).shape() == Shape{4, 1});
  CHECK(flatten(Tensor::zeros(reference(), {})).shape() == Shape{1, 1});
}

TEST_CASE("shapes") {
  CHECK(Shape{}.count() == 1);
  CHECK(Shape{}.text() == "[]");
  CHECK(Shape{64, 784}.text() == "[64, 784]");
  CHECK(Shape{2, 3, 4}.rows() == 2);
  CHECK(Shape{2, 3, 4}.columns() == 12);
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
  CHECK(Shape{0, INT64_MAX}.count() == 0);
}

TEST_CASE("activations and sums take rows of a byte data set that nobody has gathered") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor data = Tensor::from_host<uint8_t>(device, {2, 3}, std::vector<uint8_t>{0, 1, 2, 3, 4, 5});
    const auto pending = [&] { return Tensor::byte_rows(data, labels_of(device, {1, 0}), RowScale(device, 0.5f, -1)); };
    const Tensor gathered = Tensor::from_host<float>(device, {2, 3}, std::vector<float>{0.5, 1, 1.5, -1, -0.5, 0});
    CHECK(values_of(relu(pending())) == values_of(relu(gathered)));
    CHECK(values_of(softmax(pending())) == values_of(softmax(gathered)));
    CHECK(values_of(add(pending(), pending())) == values_of(add(gathered, gathered)));
    CHECK(values_of(mean(pending())) == values_of(mean(gathered)));
  }
}

TEST_CASE("rows of a byte data set are gathered where they are not read as bytes") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor data = Tensor::from_host<uint8_t>(
        device, {3, 2, 2}, std::vector<uint8_t>{0, 1, 2, 3, 50, 51, 52, 53, 252, 253, 254, 255});
    const Tensor index = labels_of(device, {2, 0, 2});
    const Tensor rows = Tensor::byte_rows(data, index, RowScale(device, 0.5f, -1));
    CHECK(rows.shape() == Shape{3, 2, 2});
    CHECK(rows.dtype() == DType::f32);
    CHECK(rows.pending_bytes() != nullptr);
    const Tensor view = rows.detach_as({3, 4});
    CHECK(view.pending_bytes() != nullptr);
    const std::vector<double> expected = {125, 125.5, 126, 126.5, -1, -0.5, 0, 0.5, 125, 125.5, 126, 126.5};
    CHECK(values_of(view) == expected);
    CHECK(view.pending_bytes() == nullptr);
    CHECK(values_of(rows) == expected);
    CHECK(values_of(scale(rows, 2))[0] == 250);
    CHECK(values_of(Tensor::byte_rows(data, Tensor(), RowScale(device, 1, 0))) ==
          std::vector<double>{0, 1, 2, 3, 50, 51, 52, 53, 252, 253, 254, 255});
    CHECK(Tensor::byte_rows(data, labels_of(device, {}), RowScale(device, 1, 0)).to_host<float>().empty());
    if (device->supports(DType::f64))
      CHECK(values_of(Tensor::byte_rows(data, index, RowScale(device, 0.5f, -1), DType::f64)) == expected);
  }
}

TEST_CASE("rows of a byte data set with a scale for each channel") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor data = Tensor::from_host<uint8_t>(
        device, {3, 2, 1, 2}, std::vector<uint8_t>{0, 1, 2, 3, 50, 51, 52, 53, 252, 253, 254, 255});
    const std::vector<float> scale = {0.5f, 2}, shift = {-1, 3}, same = {0.5f, 0.5f}, none = {0, 0};
    const RowScale each(device, scale, shift);
    CHECK(each.channels() == 2);
    CHECK(!each.is_uniform());
    const Tensor rows = Tensor::byte_rows(data, labels_of(device, {2, 0}), each);
    CHECK(rows.pending_bytes() == nullptr);  // no product reads such bytes: they are gathered first
    CHECK(values_of(rows) == std::vector<double>{125, 125.5, 511, 513, -1, -0.5, 7, 9});
    const Tensor weight = random_tensor(device, {3, 4}, 1);
    CHECK(values_of(linear(flatten(Tensor::byte_rows(data, labels_of(device, {2, 0}), each)), weight)) ==
          values_of(linear(tensor_of(device, {2, 4}, DType::f32, values_of(rows)), weight)));
    // Channels that share one pair are as one.
    const Tensor shared = Tensor::byte_rows(data, Tensor(), RowScale(device, same, none));
    CHECK(shared.pending_bytes() != nullptr);
    CHECK(values_of(shared) == values_of(Tensor::byte_rows(data, Tensor(), RowScale(device, 0.5f, 0))));
    CHECK(refusal([&] { RowScale(device, scale, std::vector<float>{1}); }) ==
          "a row scale needs a scale and a shift for all channels or for each, not 2 scales and 1 shifts");
    CHECK(refusal([&] { Tensor::byte_rows(byte_data(device, 3, 4), {}, each); }) ==
          "byte_rows: a scale for each of 2 channels needs bytes of N x 2 x ...; got u8[3, 4] on " + device->label());
  }
}

TEST_CASE("an address computes nothing") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor rows = Tensor::byte_rows(byte_data(device, 3, 4), {}, RowScale(device, 1, 0));
    CHECK(message_of<Error>([&] { rows.data(); }) ==
          "the rows of a byte data set of shape [3, 4] have no values yet: gather() them first");
    CHECK(rows.pending_bytes() != nullptr);
    rows.gather();
    CHECK(rows.data() != nullptr);
  }
}

TEST_CASE("byte_rows refuses what is no byte data set and no index") {
  const auto elsewhere = Device::open({.implementation = "reference", .where = "cpu"});
  const Tensor data = byte_data(reference(), 3, 4), index = byte_index(reference(), 3);
  CHECK(refusal([&] { Tensor::byte_rows(Tensor(), index, RowScale(reference(), 1, 0)); }) ==
        "byte_rows: bytes must be a tensor; got none");
  CHECK(refusal([&] { Tensor::byte_rows(index, index, RowScale(reference(), 1, 0)); }) ==
        "byte_rows: bytes must be u8 of rank 1 to 4; got i32[3] on reference on cpu");
  CHECK(refusal([&] {
          Tensor::byte_rows(Tensor::zeros(reference(), {}, DType::u8), index, RowScale(reference(), 1, 0));
        }) == "byte_rows: bytes must be u8 of rank 1 to 4; got u8[] on reference on cpu");
  const std::string rule = "byte_rows: index must be i32 of rank 1 on the device of bytes; got ";
  CHECK(refusal([&] { Tensor::byte_rows(data, data, RowScale(reference(), 1, 0)); }) ==
        rule + "u8[3, 4] on reference on cpu for u8[3, 4] on reference on cpu");
  CHECK(refusal([&] { Tensor::byte_rows(data, byte_index(elsewhere, 3), RowScale(reference(), 1, 0)); }) ==
        rule + "i32[3] on reference on cpu for u8[3, 4] on reference on cpu");
  CHECK(refusal([&] { Tensor::byte_rows(data, index, RowScale(elsewhere, 1, 0)); }) ==
        "byte_rows: scale must be made for the device of bytes; got u8[3, 4] on reference on cpu");
  CHECK(refusal([&] { Tensor::byte_rows(data, index, RowScale()); }) ==
        "byte_rows: scale must be made for the device of bytes; got u8[3, 4] on reference on cpu");
  CHECK(refusal([&] { Tensor::byte_rows(data, index, RowScale(reference(), 1, 0), DType::i32); }) ==
        "byte_rows: the result must be f32 or f64; got i32");
}

}  // namespace cairn::test
