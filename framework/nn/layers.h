// The layers networks are made of. Not here: initialisation formulas (init.h), whole networks (models/).
#pragma once

#include "framework/nn/init.h"
#include "framework/nn/module.h"
#include "framework/ops/linear.h"

namespace cairn {

// y = x weight^T + bias.   weight: out x in;  bias: out
class Linear : public Module {
 public:
  Linear(const std::shared_ptr<Device>& device, int64_t in, int64_t out, Initializer& initializer,
         DType dtype = DType::f32);
  Tensor forward(const Tensor& x) override { return forward(x, Activation::none); }
  Tensor forward(const Tensor& x, Activation activation) { return linear(x, weight, bias, activation); }
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

// Modules one after the other, named as given (PyTorch's Sequential over an OrderedDict). A Linear that a ReLU follows
// runs as one fused op.
class Sequential : public Module {
 public:
  explicit Sequential(std::vector<std::pair<std::string, std::shared_ptr<Module>>> modules);
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

}  // namespace cairn
