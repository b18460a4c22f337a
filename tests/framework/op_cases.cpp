#include "tests/framework/op_cases.h"
#include "framework/row_scale.h"

#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "framework/ops/sequence.h"
#include "tests/framework/support.h"

namespace cairn::test {

Tensor byte_data(const std::shared_ptr<Device>& device, int64_t n, int64_t k) {
  std::vector<uint8_t> bytes(static_cast<size_t>(n * k));
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 37 + 11);
  return Tensor::from_host<uint8_t>(device, {n, k}, bytes);
}

Tensor byte_index(const std::shared_ptr<Device>& device, int64_t n) {
  std::vector<int32_t> index(static_cast<size_t>(n));
  for (size_t i = 0; i < index.size(); ++i) index[i] = static_cast<int32_t>((i * i + 1) % index.size());
  return Tensor::from_host<int32_t>(device, {n}, index);
}

std::vector<OpCase> op_cases(int64_t n, int64_t c, int64_t k) {
  using Inputs = const std::vector<Tensor>&;
  const auto labels = [n, c](const Tensor& logits) {
    std::vector<int32_t> values(static_cast<size_t>(n));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>((i * 7 + 3) % static_cast<size_t>(c));
    return labels_of(logits.device(), values);
  };
  const auto drop = [](const Tensor& x) {
    const std::vector<int64_t> step = {3};
    return dropout(x, 0.3, 99, 5, Tensor::from_host<int64_t>(x.device(), {}, step));
  };
  const auto bytes = [n, k](const Tensor& weight) {
    return Tensor::byte_rows(byte_data(weight.device(), n, k), byte_index(weight.device(), n),
                             RowScale(weight.device(), 1.0f / 255, -0.5f), weight.dtype());
  };
  const Shape nc{n, c}, nk{n, k}, weight{c, k}, bias{c};
  const auto unit = [](Inputs in, bool all_steps) {
    // Small weights: with large ones rounding grows from step to step in any arithmetic.
    return gru(in[0], in.size() > 5 ? in[5] : Tensor(), {scale(in[1], 0.1), scale(in[2], 0.1), in[3], in[4]},
               all_steps);
  };
  // Five steps of c values, k units, then weights and biases.
  const std::vector<Shape> unit_inputs{{n, 5, c}, {3 * k, c}, {3 * k, k}, {3 * k}, {3 * k}};
  std::vector<Shape> unit_inputs_and_start = unit_inputs;
  unit_inputs_and_start.push_back(nk);
  return {
      {"add", {nc, nc}, [](Inputs in) { return add(in[0], in[1]); }},
      {"add of one tensor and itself", {nc}, [](Inputs in) { return add(in[0], in[0]); }},
      {"multiply", {nc, nc}, [](Inputs in) { return multiply(in[0], in[1]); }},
      {"multiply of one tensor and itself", {nc}, [](Inputs in) { return multiply(in[0], in[0]); }},
      {"scale", {{n, c, k}}, [](Inputs in) { return scale(in[0], -1.75); }},
      {"relu", {nc}, [](Inputs in) { return relu(in[0]); }},
      {"tanh", {nc}, [](Inputs in) { return tanh(in[0]); }},
      {"sigmoid", {nc}, [](Inputs in) { return sigmoid(in[0]); }},
      {"gelu", {nc}, [](Inputs in) { return gelu(in[0]); }},
      {"embedding", {nc}, [=](Inputs in) { return embedding(in[0], byte_index(in[0].device(), n)); }},
      {"gru", unit_inputs, [=](Inputs in) { return unit(in, false); }},
      {"gru of every step", unit_inputs, [=](Inputs in) { return unit(in, true); }},
      {"gru from a start", unit_inputs_and_start, [=](Inputs in) { return unit(in, false); }},
      {"gru of every step from a start", unit_inputs_and_start, [=](Inputs in) { return unit(in, true); }},
      {"add_bias", {nc, bias}, [](Inputs in) { return add_bias(in[0], in[1]); }},
      {"dropout", {nc}, [=](Inputs in) { return drop(in[0]); }},
      {"reshape",
       {{n, c, k}},
       [=](Inputs in) {
         return reshape(in[0], {k, n * c});
       }},
      {"flatten", {{n, c, 2, k}}, [](Inputs in) { return flatten(in[0]); }},
      {"linear", {nk, weight}, [](Inputs in) { return linear(in[0], in[1]); }},
      {"linear with bias", {nk, weight, bias}, [](Inputs in) { return linear(in[0], in[1], in[2]); }},
      {"linear with relu", {nk, weight}, [](Inputs in) { return linear(in[0], in[1], {}, Activation::relu); }},
      {"linear with bias and relu",
       {nk, weight, bias},
       [](Inputs in) { return linear(in[0], in[1], in[2], Activation::relu); }},
      {"linear of a tensor and itself", {nk}, [](Inputs in) { return linear(in[0], in[0]); }},
      {"linear of bytes", {weight}, [=](Inputs in) { return linear(bytes(in[0]), in[0]); }},
      {"linear of bytes with bias and relu",
       {weight, bias},
       [=](Inputs in) { return linear(bytes(in[0]), in[0], in[1], Activation::relu); }},
      {"matmul", {nk, {k, c}}, [](Inputs in) { return matmul(in[0], in[1]); }},
      {"matmul of a tensor and itself", {{n, n}}, [](Inputs in) { return matmul(in[0], in[0]); }},
      {"softmax", {nc}, [](Inputs in) { return softmax(in[0]); }},
      {"cross_entropy", {nc}, [=](Inputs in) { return cross_entropy(in[0], labels(in[0])); }},
      {"cross_entropy, smoothed", {nc}, [=](Inputs in) { return cross_entropy(in[0], labels(in[0]), 0.1); }},
      {"squared_error", {nk, nk}, [](Inputs in) { return squared_error(in[0], in[1]); }},
      {"squared_error of a tensor and its double",
       {nk},
       [](Inputs in) { return squared_error(in[0], scale(in[0], 2)); }},
      {"sum", {nk}, [](Inputs in) { return sum(in[0]); }},
      {"mean", {nk}, [](Inputs in) { return mean(in[0]); }},
  };
}

}  // namespace cairn::test
