#include "framework/nn/sequence_layers.h"

#include "framework/ops/sequence.h"

namespace cairn {

Embedding::Embedding(const std::shared_ptr<Device>& device, int64_t vocabulary, int64_t features,
                     Initializer& initializer, DType dtype)
    : weight(Tensor::empty(device, {vocabulary, features}, dtype, "a table of embeddings")) {
  initializer.table(weight);
  register_parameter("weight", weight);
}

Tensor Embedding::forward(const Tensor& ids) {
  return embedding(weight, ids);
}

Shape Embedding::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const Shape output{sample[0], weight.shape()[1]};
  layers.push_back({name, "Embedding", output, weight.count(), 0});
  return output;
}

Gru::Gru(const std::shared_ptr<Device>& device, int64_t inputs, int64_t hidden, Initializer& initializer,
         const GruOptions& options, DType dtype)
    : options_(options) {
  const auto add = [&](const char* name, const Shape& shape) {
    const Tensor parameter = Tensor::empty(device, shape, dtype, "a recurrent layer's parameter");
    initializer.recurrent(parameter, hidden);
    register_parameter(name, parameter);
    return parameter;
  };
  weight_ih = add("weight_ih_l0", {3 * hidden, inputs});
  weight_hh = add("weight_hh_l0", {3 * hidden, hidden});
  bias_ih = add("bias_ih_l0", {3 * hidden});
  bias_hh = add("bias_hh_l0", {3 * hidden});
  if (!options.learn_start) return;
  h0 = Tensor::zeros(device, {1, hidden}, dtype);
  register_parameter("h0", h0);
}

Tensor Gru::forward(const Tensor& x) {
  Tensor start;
  // One state for every sequence: a table of one row, looked up by each.
  if (h0.defined()) start = embedding(h0, Tensor::zeros(x.device(), {x.shape()[0]}, DType::i32));
  return gru(x, start, {weight_ih, weight_hh, bias_ih, bias_hh}, options_.all_steps);
}

Shape Gru::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const int64_t hidden = weight_hh.shape()[1], weights = weight_ih.count() + weight_hh.count();
  const Shape output = options_.all_steps ? Shape{sample[0], hidden} : Shape{hidden};
  layers.push_back({name,
                    "Gru",
                    output,
                    weights + 6 * hidden + (h0.defined() ? hidden : 0),
                    sample[0] * weights,
                    {{"all_steps", options_.all_steps}}});
  return output;
}

}  // namespace cairn
