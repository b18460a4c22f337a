#include "framework/nn/branches.h"

#include <array>

#include "framework/error.h"
#include "framework/ops/concat.h"
#include "framework/ops/pooling.h"

namespace cairn {
namespace {

constexpr PoolOptions kEverySecond{.window_height = 1, .window_width = 1, .stride_height = 2, .stride_width = 2};

// Lists a part and writes down how many lines it has.
Shape summarize_part(const Module& part, const std::string& option, const Shape& sample, const std::string& name,
                     size_t own, std::vector<LayerSummary>& layers) {
  const size_t before = layers.size();
  const Shape output = part.summarize(sample, name, layers);
  layers[own].options.emplace_back(option, static_cast<double>(layers.size() - before));
  if (before < layers.size() && layers[before].input.rank() == 0) layers[before].input = sample;
  return output;
}

}  // namespace

Residual::Residual(const std::vector<NamedModule>& body, std::shared_ptr<Module> shortcut, bool relu,
                   const std::string& shortcut_name)
    : body_(std::make_shared<Sequential>(body)),
      shortcut_(std::move(shortcut)),
      relu_(relu),
      shortcut_name_(shortcut_name) {
  register_module("", body_);
  if (shortcut_) register_module(shortcut_name_, shortcut_);
}

Tensor Residual::forward(const Tensor& x) {
  return body_->forward_onto(x, shortcut_ ? shortcut_->forward(x) : x, relu_ ? Activation::relu : Activation::none);
}

Shape Residual::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const size_t own = layers.size();
  layers.push_back({name, "Residual", sample, 0, 0, {{"relu", relu_}}});
  const Shape output = summarize_part(*body_, "body", sample, name, own, layers);
  const std::string name_beside = name_below(name, shortcut_name_);
  const Shape beside = shortcut_ ? summarize_part(*shortcut_, "shortcut", sample, name_beside, own, layers) : sample;
  if (beside != output)
    throw ShapeError("residual block " + name + ": the body makes " + output.text() + " of " + sample.text() +
                     ", the shortcut " + beside.text());
  layers[own].output = output;
  return output;
}

Concat::Concat(const std::vector<NamedModule>& branches) {
  for (const auto& [name, module] : branches) register_module(name, module);
}

Tensor Concat::forward(const Tensor& x) {
  std::vector<Tensor> parts;
  for (const auto& [name, module] : children()) parts.push_back(module->forward(x));
  return concat(parts);
}

Shape Concat::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const size_t own = layers.size();
  layers.push_back({name, "Concat", sample, 0, 0});
  Shape output;
  int number = 0;
  for (const auto& [child, module] : children()) {
    const std::string branch = child.empty() ? "branch" + std::to_string(++number) : child;
    const Shape part = summarize_part(*module, branch, sample, name_below(name, child), own, layers);
    if (output.rank() == 0)
      output = part;
    else if (part.rank() == 3 && Shape{part[1], part[2]} == Shape{output[1], output[2]})
      output = {output[0] + part[0], part[1], part[2]};
    else
      throw ShapeError("concatenation " + name + ": " + branch + " makes " + part.text() + " of " + sample.text() +
                       ", the branches before it " + output.text());
  }
  layers[own].output = output;
  return output;
}

Dense::Dense(const std::vector<NamedModule>& body) : body_(std::make_shared<Sequential>(body)) {
  register_module("", body_);
}

Tensor Dense::forward(const Tensor& x) {
  return concat(std::array{x, body_->forward(x)});
}

Shape Dense::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const size_t own = layers.size();
  layers.push_back({name, "Dense", sample, 0, 0});
  const Shape part = summarize_part(*body_, "body", sample, name, own, layers);
  if (part.rank() != 3 || Shape{part[1], part[2]} != Shape{sample[1], sample[2]})
    throw ShapeError("dense block " + name + ": the body makes " + part.text() + " of " + sample.text());
  return layers[own].output = {sample[0] + part[0], part[1], part[2]};
}

AuxiliaryHead::AuxiliaryHead(const std::vector<NamedModule>& head, double weight)
    : head_(std::make_shared<Sequential>(head)), weight_(weight) {
  register_module("", head_);
  if (weight == 0) head_->freeze();
}

Tensor AuxiliaryHead::forward(const Tensor& x) {
  logits_ = training() && weight_ != 0 ? head_->forward(x) : Tensor();
  return x;
}

void AuxiliaryHead::give_auxiliary(std::vector<AuxiliaryLogits>& all) {
  if (logits_.defined()) all.push_back({std::exchange(logits_, {}), weight_});
}

Shape AuxiliaryHead::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const size_t own = layers.size();
  layers.push_back({name, "AuxiliaryHead", sample, 0, 0, {{"weight", weight_}}});
  summarize_part(*head_, "head", sample, name, own, layers);
  for (size_t i = own; i < layers.size(); ++i) layers[i].macs = 0;
  return sample;
}

int64_t PaddedShortcut::padding_of(int64_t channels) const {
  if (channels > channels_ || (channels_ - channels) % 2 != 0)
    throw ShapeError("a padded shortcut to " + std::to_string(channels_) +
                     " channels takes as many or an even number fewer; got " + std::to_string(channels));
  return (channels_ - channels) / 2;
}

Tensor PaddedShortcut::forward(const Tensor& x) {
  const Tensor kept = max_pool2d(x, kEverySecond);
  const Shape& shape = kept.shape();
  const int64_t padding = padding_of(shape[1]);
  if (padding == 0) return kept;
  const Tensor zeros = Tensor::zeros(x.device(), {shape[0], padding, shape[2], shape[3]}, x.dtype());
  return concat(std::array{zeros, kept, zeros});
}

Shape PaddedShortcut::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const Shape output{channels_, (sample[1] + 1) / 2, (sample[2] + 1) / 2};
  layers.push_back({name, "PaddedShortcut", output, 0, 0, {{"padding", static_cast<double>(padding_of(sample[0]))}}});
  return output;
}

}  // namespace cairn
