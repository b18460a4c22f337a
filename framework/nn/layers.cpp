#include "framework/nn/layers.h"

#include "framework/error.h"
#include "framework/nn/image_layers.h"
#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/random.h"

namespace cairn {
namespace {

// A layer that changes nothing about its input's shape.
Shape unchanged(const char* type, const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) {
  layers.push_back({name, type, sample, 0, 0});
  return sample;
}

// The layer at a place as a Layer, or null.
template <class Layer, class Children>
Layer* layer_at(const Children& children, size_t i) {
  return i < children.size() ? dynamic_cast<Layer*>(children[i].second.get()) : nullptr;
}

}  // namespace

Linear::Linear(const std::shared_ptr<Device>& device, int64_t in, int64_t out, Initializer& initializer, DType dtype,
               bool with_bias)
    : weight(Tensor::empty(device, {out, in}, dtype, "a weight")) {
  initializer.weight(weight);
  register_parameter("weight", weight);
  if (!with_bias) return;
  bias = Tensor::empty(device, {out}, dtype, "a bias");
  initializer.bias(bias, in);
  register_parameter("bias", bias);
}

Shape Linear::summarize(const Shape&, const std::string& name, std::vector<LayerSummary>& layers) const {
  const Shape output{weight.shape()[0]};
  layers.push_back({name, "Linear", output, weight.count() + (bias.defined() ? bias.count() : 0), weight.count()});
  return output;
}

Tensor ReLU::forward(const Tensor& x) {
  return relu(x);
}

Shape ReLU::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  return unchanged("ReLU", sample, name, layers);
}

Tensor Tanh::forward(const Tensor& x) {
  return tanh(x);
}

Shape Tanh::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  return unchanged("Tanh", sample, name, layers);
}

Tensor Sigmoid::forward(const Tensor& x) {
  return sigmoid(x);
}

Shape Sigmoid::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  return unchanged("Sigmoid", sample, name, layers);
}

Tensor GELU::forward(const Tensor& x) {
  return gelu(x);
}

Shape GELU::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  return unchanged("GELU", sample, name, layers);
}

Tensor Flatten::forward(const Tensor& x) {
  return flatten(x);
}

Shape Flatten::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const Shape output{sample.count()};
  layers.push_back({name, "Flatten", output, 0, 0});
  return output;
}

Dropout::Dropout(double probability) : probability_(probability) {
  if (!(probability >= 0 && probability < 1))
    throw UsageError("a dropout probability must be in [0, 1), not " + std::to_string(probability));
}

Tensor Dropout::forward(const Tensor& x) {
  if (!training() || probability_ == 0) return x;
  if (!source_.step.defined()) throw Error("dropout: set_dropout_source was not called on the network");
  return dropout(x, probability_, source_.seed, stream_, source_.step);
}

Shape Dropout::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  layers.push_back({name, "Dropout", sample, 0, 0, {{"probability", probability_}, {"stream", stream_}}});
  return sample;
}

void Dropout::accept_dropout_source(const DropoutSource& source, uint32_t& next_layer) {
  source_ = source;
  stream_ = make_stream(RandomPurpose::kDropout, next_layer++);
}

Sequential::Sequential(const std::vector<NamedModule>& modules) {
  for (const auto& [name, module] : modules) register_module(name, module);
}

Tensor Sequential::forward_onto(const Tensor& x, const Tensor& onto, Activation activation) {
  Tensor value = x;
  for (size_t i = 0; i < children().size();) {
    auto* last = i + 1 == children().size() ? layer_at<Conv2d>(children(), i) : nullptr;
    if (last) return last->forward(value, activation, onto);
    auto* fusing = layer_at<FusingModule>(children(), i);
    auto* pool_next = layer_at<MaxPool2d>(children(), i + 1);
    if (layer_at<ReLU>(children(), i) && pool_next) {
      value = pool_next->forward(value, Activation::relu);
      i += 2;
    } else if (fusing && layer_at<ReLU>(children(), i + 1) && !layer_at<MaxPool2d>(children(), i + 2)) {
      value = fusing->forward(value, Activation::relu);
      i += 2;
    } else {
      value = children()[i++].second->forward(value);
    }
  }
  if (onto.defined()) value = add(value, onto);
  return activation == Activation::relu ? relu(value) : value;
}

void Sequential::fold_modules() {
  std::vector<NamedModule> kept;
  for (size_t i = 0; i < children().size(); ++i) {
    kept.push_back(children()[i]);
    auto* conv = layer_at<Conv2d>(children(), i);
    const auto* norm = layer_at<BatchNorm2d>(children(), i + 1);
    if (!conv || !norm) continue;
    conv->absorb(*norm);
    ++i;
  }
  replace_modules(kept);
}

Shape Sequential::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  Shape shape = sample;
  for (const auto& [child, module] : children()) {
    const size_t own = layers.size();
    const Shape output = module->summarize(shape, name_below(name, child), layers);
    if (own < layers.size() && layers[own].input.rank() == 0) layers[own].input = shape;
    shape = output;
  }
  return shape;
}

}  // namespace cairn
