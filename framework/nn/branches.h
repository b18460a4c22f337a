// Layers whose input goes more than one way: residual blocks, concatenated branches, auxiliary classifiers. Not here:
// layers one after the other (layers.h), the blocks of particular networks (models/).
//
// Where summarize() lists one of these, its own line comes first and the layers of its parts follow, part after part.
// The line's options say how many lines each part has: {"body", 3}, {"shortcut", 1}, whatever the shortcut is called,
// or {"branch1", 2}, {"branch2", 4}. A part without a name has its modules' names right below the block's.
#pragma once

#include "framework/nn/layers.h"

namespace cairn {

// y = body(x) + shortcut(x), then max(0, .) where relu is set: He et al. 2015. The shapes of the two must be the same.
// The body has no name, as in PyTorch's blocks: layer1.0.conv1.weight.
class Residual : public Module {
 public:
  // shortcut: null is the identity.
  Residual(const std::vector<NamedModule>& body, std::shared_ptr<Module> shortcut, bool relu,
           const std::string& shortcut_name = "shortcut");
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 private:
  std::shared_ptr<Sequential> body_;
  std::shared_ptr<Module> shortcut_;
  bool relu_;
  std::string shortcut_name_;
};

// The branches' results one after another along the channels, each of the same x: Szegedy et al. 2014.
class Concat : public Module {
 public:
  explicit Concat(const std::vector<NamedModule>& branches);
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

// x and after it body(x) along the channels, of the same height and width: Huang et al. 2016. The body has no name.
class Dense : public Module {
 public:
  explicit Dense(const std::vector<NamedModule>& body);
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 private:
  std::shared_ptr<Sequential> body_;
};

// x as it is. In training a classifier of its own looks at x as well, and its loss counts `weight` times beside the
// network's: Szegedy et al. 2014. In evaluation nothing is computed, so that a summary counts no multiply-adds; the
// options of the line say the weight and the head's lines: {"weight", 0.4}, {"head", 8}. The head has no name. weight
// 0: it is never looked at, and frozen; its tensors only lie in files.
class AuxiliaryHead : public Module {
 public:
  AuxiliaryHead(const std::vector<NamedModule>& head, double weight);
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 protected:
  void give_auxiliary(std::vector<AuxiliaryLogits>& all) override;

 private:
  std::shared_ptr<Sequential> head_;
  double weight_;
  Tensor logits_;  // of the latest batch in training, until they are taken
};

// The shortcut without weights where a block halves the image and widens it (He et al. 2015, option A): every second
// row and column, and channels of zeros, as many before as after. channels: of the result, at least the input's, by an
// even number.
class PaddedShortcut : public Module {
 public:
  explicit PaddedShortcut(int64_t channels) : channels_(channels) {}
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 private:
  int64_t padding_of(int64_t channels) const;
  int64_t channels_;
};

}  // namespace cairn
