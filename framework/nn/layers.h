// The layers networks are made of. Not here: those that work on images (image_layers.h), initialisation formulas
// (init.h), whole networks (models/), branches (branches.h).
#pragma once

#include "framework/nn/init.h"
#include "framework/nn/module.h"
#include "framework/ops/linear.h"

namespace cairn {

// A layer whose op can end in an activation at no cost.
class FusingModule : public Module {
 public:
  Tensor forward(const Tensor& x) final { return forward(x, Activation::none); }
  virtual Tensor forward(const Tensor& x, Activation activation) = 0;
};

// y = x weight^T + bias.   weight: out x in;  bias: out, or not defined
class Linear : public FusingModule {
 public:
  Linear(const std::shared_ptr<Device>& device, int64_t in, int64_t out, Initializer& initializer,
         DType dtype = DType::f32, bool with_bias = true);
  using FusingModule::forward;
  Tensor forward(const Tensor& x, Activation activation) override { return linear(x, weight, bias, activation); }
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

  Tensor weight, bias;
};

class ReLU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

class Tanh : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

class Sigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

class GELU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

// N x C x H x W to N x (C H W)
class Flatten : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

// Identity in eval mode.
class Dropout : public Module {
 public:
  explicit Dropout(double probability);
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 protected:
  void accept_dropout_source(const DropoutSource& source, uint32_t& next_layer) override;

 private:
  double probability_;
  DropoutSource source_;
  uint32_t stream_ = 0;
};

// Modules one after the other, named as given (PyTorch's Sequential over an OrderedDict). A ReLU becomes part of the
// Linear, Conv2d or MaxPool2d that it follows; or of a MaxPool2d that follows it, which has fewer elements: the maximum
// of max(0, .) is max(0, the maximum).
class Sequential : public Module {
 public:
  explicit Sequential(const std::vector<NamedModule>& modules);
  Tensor forward(const Tensor& x) override { return forward_onto(x, {}, Activation::none); }
  // The result + add, unless that is not defined, then the activation: at no cost where the last layer is a Conv2d.
  Tensor forward_onto(const Tensor& x, const Tensor& add, Activation activation);
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

  const std::vector<NamedModule>& modules() const { return children(); }

 protected:
  void fold_modules() override;
};

}  // namespace cairn
