#include "framework/ops/sequence.h"

#include "framework/autograd.h"
#include "framework/ops/check.h"

namespace cairn {
namespace {

constexpr const char *kEmbedding = "embedding", *kGru = "gru";

// The unit's inputs in the order in which they are recorded; the start comes last because there may be none.
enum Input : size_t { kX, kWeightIh, kWeightHh, kBiasIh, kBiasHh, kStart, kInputs };

void check_embedding(const Tensor& weight, const Tensor& ids, int64_t padding_index) {
  check::values(kEmbedding, "weight", weight);
  check::rank(kEmbedding, "weight", weight, 2, "vocabulary x features");
  check::defined(kEmbedding, "ids", ids);
  if (ids.dtype() != DType::i32 || ids.device() != weight.device())
    check::fail(kEmbedding, "ids must be i32 and live on weight's device",
                check::describe(ids) + " for " + check::describe(weight));
  if (padding_index < -1 || padding_index >= weight.shape()[0])
    check::fail(kEmbedding, "padding_index must be -1 or a row of weight " + weight.shape().text(),
                std::to_string(padding_index));
}

Shape with_last(const Shape& shape, int64_t last) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < shape.rank(); ++i) sizes.push_back(shape[i]);
  sizes.push_back(last);
  return Shape(sizes);
}

void check_gru_operand(const Tensor& x, const char* name, const Tensor& tensor, const Shape& expected) {
  check::values(kGru, name, tensor);
  check::together(kGru, "x", x, name, tensor);
  if (tensor.shape() != expected)
    check::fail(kGru, std::string(name) + " must be " + expected.text(), check::describe(tensor));
}

GruShape check_gru(const Tensor& x, const Tensor& h0, const GruWeights& w) {
  check::values(kGru, "x", x);
  check::rank(kGru, "x", x, 3, "N x time x inputs");
  check::values(kGru, "weight_hh", w.weight_hh);
  check::rank(kGru, "weight_hh", w.weight_hh, 2, "3 hidden x hidden");
  const GruShape shape{
      .batch = x.shape()[0], .time = x.shape()[1], .inputs = x.shape()[2], .hidden = w.weight_hh.shape()[1]};
  check_gru_operand(x, "weight_hh", w.weight_hh, {3 * shape.hidden, shape.hidden});
  check_gru_operand(x, "weight_ih", w.weight_ih, {3 * shape.hidden, shape.inputs});
  check_gru_operand(x, "bias_ih", w.bias_ih, {3 * shape.hidden});
  check_gru_operand(x, "bias_hh", w.bias_hh, {3 * shape.hidden});
  if (h0.defined()) check_gru_operand(x, "h0", h0, {shape.batch, shape.hidden});
  return shape;
}

// The backward pass's arguments: its operands from the forward pass, its results where they are asked for.
GruBackwardArgs backward_args(const GruForwardArgs& forward, const Tensor& dy, Gradients& gradients) {
  std::optional<Destination> results[kInputs];
  for (size_t i = 0; i < (forward.h0 ? kInputs : kInputs - 1); ++i) results[i] = gradients.destination(i);
  const auto data = [&](Input input) { return results[input] ? results[input]->gradient.data() : nullptr; };
  const auto accumulate = [&](Input input) { return results[input] ? results[input]->accumulate : 0; };
  return {.dtype = forward.dtype,
          .shape = forward.shape,
          .x = forward.x,
          .h0 = forward.h0,
          .weight_ih = forward.weight_ih,
          .weight_hh = forward.weight_hh,
          .bias_ih = forward.bias_ih,
          .bias_hh = forward.bias_hh,
          .dy = dy.data(),
          .last_only = forward.last_only,
          .reserve = forward.reserve,
          .dx = data(kX),
          .dh0 = data(kStart),
          .dweight_ih = data(kWeightIh),
          .dweight_hh = data(kWeightHh),
          .dbias_ih = data(kBiasIh),
          .dbias_hh = data(kBiasHh),
          .accumulate_dx = accumulate(kX),
          .accumulate_dh0 = accumulate(kStart),
          .accumulate_dweight_ih = accumulate(kWeightIh),
          .accumulate_dweight_hh = accumulate(kWeightHh),
          .accumulate_dbias_ih = accumulate(kBiasIh),
          .accumulate_dbias_hh = accumulate(kBiasHh)};
}

}  // namespace

Tensor embedding(const Tensor& weight, const Tensor& ids, int64_t padding_index) {
  check_embedding(weight, ids, padding_index);
  const int64_t vocabulary = weight.shape()[0], features = weight.shape()[1];
  Tensor out = Tensor::empty(weight.device(), with_last(ids.shape(), features), weight.dtype(), kEmbedding);
  weight.device()->call(&Backend::embedding_forward, EmbeddingForwardArgs{.dtype = weight.dtype(),
                                                                          .count = ids.count(),
                                                                          .vocabulary = vocabulary,
                                                                          .features = features,
                                                                          .ids = ids.data<int32_t>(),
                                                                          .weight = weight.data(),
                                                                          .out = out.data()});
  if (!needs_gradient({weight})) return out;
  record(out, kEmbedding, {weight},
         [ids = ids.detach(), vocabulary, features, padding_index](const Tensor& dout, Gradients& gradients) {
           const auto dweight = gradients.destination(0);
           if (!dweight) return;
           dout.device()->call(&Backend::embedding_backward, EmbeddingBackwardArgs{.dtype = dout.dtype(),
                                                                                   .count = ids.count(),
                                                                                   .vocabulary = vocabulary,
                                                                                   .features = features,
                                                                                   .ids = ids.data<int32_t>(),
                                                                                   .dout = dout.data(),
                                                                                   .dweight = dweight->gradient.data(),
                                                                                   .padding_index = padding_index,
                                                                                   .accumulate = dweight->accumulate});
         });
  return out;
}

Tensor gru(const Tensor& x, const Tensor& h0, const GruWeights& weights, bool all_steps) {
  const GruShape shape = check_gru(x, h0, weights);
  std::vector<Tensor> inputs{x, weights.weight_ih, weights.weight_hh, weights.bias_ih, weights.bias_hh};
  if (h0.defined()) inputs.push_back(h0);
  const bool trains = needs_gradient(inputs);
  const Shape states = all_steps ? Shape{shape.batch, shape.time, shape.hidden} : Shape{shape.batch, shape.hidden};
  Tensor y = Tensor::empty(x.device(), states, x.dtype(), kGru);
  Tensor reserve;
  if (trains) reserve = Tensor::empty(x.device(), {x.device()->gru_reserve(shape)}, x.dtype(), kGru);
  const GruForwardArgs args{.dtype = x.dtype(),
                            .shape = shape,
                            .x = x.data(),
                            .h0 = h0.defined() ? h0.data() : nullptr,
                            .weight_ih = weights.weight_ih.data(),
                            .weight_hh = weights.weight_hh.data(),
                            .bias_ih = weights.bias_ih.data(),
                            .bias_hh = weights.bias_hh.data(),
                            .y = y.data(),
                            .last_only = !all_steps,
                            .reserve = trains ? reserve.data() : nullptr};
  x.device()->call(&Backend::gru_forward, args);
  if (!trains) return y;
  std::vector<Tensor> kept{reserve};  // whose memory args point into
  for (const Tensor& input : inputs) kept.push_back(input.detach());
  record(y, kGru, inputs, [args, kept](const Tensor& dy, Gradients& gradients) {
    dy.device()->call(&Backend::gru_backward, backward_args(args, dy, gradients));
  });
  return y;
}

}  // namespace cairn
