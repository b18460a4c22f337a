// Every op on every implementation in float against `reference` in double, forward and gradients; the linear layer that
// reads bytes against the one on gathered floats. Not here: single primitives and their odd sizes (tests/kernels).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "framework/autograd.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "framework/row_scale.h"
#include "tests/framework/op_cases.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

struct Outcome {
  std::vector<double> output;
  std::vector<std::vector<double>> gradients;
};

Outcome run(const OpCase& op, const std::shared_ptr<Device>& device, DType dtype) {
  std::vector<Tensor> inputs;
  for (const Shape& shape : op.inputs) {
    inputs.push_back(random_tensor(device, shape, 41 + inputs.size(), dtype));
    inputs.back().set_requires_grad(true);
  }
  const Tensor output = op.run(inputs);
  backward(sum(multiply(output, random_tensor(device, output.shape(), 40, dtype, 0.5, 1.5))));
  Outcome outcome{values_of(output), {}};
  for (const Tensor& input : inputs) outcome.gradients.push_back(values_of(input.grad()));
  return outcome;
}

// On every implementation in float against `reference` in double.
void check_agreement(const std::vector<OpCase>& cases) {
  constexpr double kTolerance = 1e-5;
  for (const OpCase& op : cases) {
    const Outcome expected = run(op, reference(), DType::f64);
    for (const auto& device : devices()) {
      CAPTURE(op.name);
      CAPTURE(device->label());
      CAPTURE(op.inputs[0].rows());
      const Outcome actual = run(op, device, DType::f32);
      CHECK(relative_error(actual.output, expected.output) <= kTolerance);
      for (size_t i = 0; i < expected.gradients.size(); ++i)
        CHECK(relative_error(actual.gradients[i], expected.gradients[i]) <= kTolerance);
    }
  }
}

}  // namespace

TEST_CASE("every op on every implementation agrees with reference in double") {
  const int64_t sizes[][3] = {{33, 17, 65}, {1, 10, 784}, {64, 32, 31}};
  for (const auto& size : sizes) check_agreement(op_cases(size[0], size[1], size[2]));
}

TEST_CASE("every op on images on every implementation agrees with reference in double") {
  const int64_t sizes[][4] = {{5, 7, 14, 13}, {1, 3, 28, 28}, {17, 8, 9, 10}};
  for (const auto& size : sizes) check_agreement(image_op_cases(size[0], size[1], size[2], size[3]));
}

TEST_CASE("add_noise draws the same everywhere, anew each step, within its bounds") {
  const auto noisy = [](const std::shared_ptr<Device>& device, int64_t step, DType dtype = DType::f32) {
    const Tensor x = random_tensor(device, {100, 50}, 1, dtype, 0, 1);
    const Tensor clock = Tensor::from_host<int64_t>(device, {}, std::vector<int64_t>{step});
    return values_of(add_noise(x, 0.2, 0, 1, 11, 3, clock));
  };
  const std::vector<double> expected = noisy(reference(), 4, DType::f64);
  const std::vector<double> clean = random_values(5000, 1, 0, 1);
  double sum = 0, squares = 0;
  int inside = 0;
  for (size_t i = 0; i < clean.size(); ++i) {
    REQUIRE((expected[i] >= 0 && expected[i] <= 1));
    if (clean[i] < 0.4 || clean[i] > 0.6) continue;  // where two deviations are not cut off
    ++inside;
    sum += expected[i] - clean[i];
    squares += (expected[i] - clean[i]) * (expected[i] - clean[i]);
  }
  CHECK(std::abs(sum / inside) <= 4 * 0.2 / std::sqrt(inside));
  CHECK(std::sqrt(squares / inside) == doctest::Approx(0.2).epsilon(0.1));
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    CHECK(relative_error(noisy(device, 4), expected) <= 1e-5);
    CHECK(relative_error(noisy(device, 5), expected) > 0.1);
  }
}

TEST_CASE("linear reads bytes as if they had been gathered") {
  const int64_t n = 37, k = 29, c = 11;
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor data = byte_data(device, n, k);
    const auto byte_input = [&](const Tensor& index) {
      return Tensor::byte_rows(data, index, RowScale(device, 1.0f / 255, -0.25f));
    };
    for (const Tensor& index : {byte_index(device, n), Tensor()}) {
      std::vector<std::vector<double>> results[2];
      for (const bool gathered : {false, true}) {
        Tensor x = byte_input(index);
        if (gathered) x = tensor_of(device, x.shape(), DType::f32, values_of(byte_input(index)));
        CHECK((x.pending_bytes() == nullptr) == gathered);
        Tensor weight = random_tensor(device, {c, k}, 1), bias = random_tensor(device, {c}, 2);
        weight.set_requires_grad(true);
        bias.set_requires_grad(true);
        const Tensor y = linear(x, weight, bias, Activation::relu);
        backward(sum(multiply(y, random_tensor(device, y.shape(), 3))));
        results[gathered] = {values_of(y), values_of(weight.grad()), values_of(bias.grad())};
      }
      for (size_t i = 0; i < 3; ++i) CHECK(relative_error(results[0][i], results[1][i]) <= 1e-5);
    }
  }
}

TEST_CASE("byte rows that were reshaped to other rows are gathered") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor data = byte_data(device, 6, 8);
    const Tensor rows = Tensor::byte_rows(data, byte_index(device, 6), RowScale(device, 0.01f, 0));
    const Tensor weight = random_tensor(device, {3, 4}, 1);
    const Tensor y = linear(reshape(rows, {12, 4}), weight);
    const Tensor expected = linear(tensor_of(device, {12, 4}, DType::f32, values_of(rows)), weight);
    CHECK(relative_error(values_of(y), values_of(expected)) <= 1e-6);
  }
}

TEST_CASE("argmax and metrics agree") {
  const int64_t rows = 50, classes = 10;
  const std::vector<double> logits = random_values(rows * classes, 3);
  std::vector<int32_t> labels, expected;
  int64_t hits = 0, in_three = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const auto row = logits.begin() + r * classes;
    expected.push_back(static_cast<int32_t>(std::max_element(row, row + classes) - row));
    labels.push_back(r % 3 == 0 ? expected.back() : static_cast<int32_t>(r % classes));
    hits += labels.back() == expected.back();
    in_three += std::count_if(row, row + classes, [&](double x) { return x > row[labels.back()]; }) < 3;
  }
  const Tensor oracle = tensor_of(reference(), {rows, classes}, DType::f64, logits);
  const double mean_loss = cross_entropy(oracle, labels_of(reference(), labels)).item();
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor scores = tensor_of(device, {rows, classes}, DType::f32, logits);
    CHECK(argmax(scores).to_host<int32_t>() == expected);
    const Tensor loss_sum = Tensor::zeros(device, {}, DType::f64);
    const Tensor correct = Tensor::zeros(device, {}, DType::i64), in_top = Tensor::zeros(device, {}, DType::i64);
    for (int pass = 1; pass <= 2; ++pass) {
      add_metrics(scores, labels_of(device, labels), loss_sum, correct, in_top, 3);
      CHECK(correct.item() == pass * hits);
      CHECK(in_top.item() == pass * in_three);
      CHECK(loss_sum.item() == doctest::Approx(pass * mean_loss * rows).epsilon(1e-5));
    }
  }
}

}  // namespace cairn::test
