// Module: a part of a network with named parameters and buffers, as in PyTorch. Not here: concrete layers (layers.h),
// whole networks (models/).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/tensor.h"

namespace cairn {

struct NamedTensor {
  std::string name;  // "fc1.weight"
  Tensor tensor;
};

// What `info` prints of one layer, and what another library needs to build the same.
struct LayerSummary {
  std::string name, type;
  Shape output;  // for one sample, without the batch dimension
  int64_t parameters;
  int64_t macs;                                              // multiply-adds for one sample, in evaluation
  std::vector<std::pair<std::string, double>> options = {};  // what tensors do not tell: {"stride", 2}
  Shape input = {};                                          // of one sample; whoever runs the layer fills it in
};

// What an auxiliary classifier made of a batch in training, and how often its loss counts beside the network's.
struct AuxiliaryLogits {
  Tensor logits;
  double weight;
};

// What a dropout layer draws its masks from: the run's seed and the device's step clock (an i64).
struct DropoutSource {
  uint64_t seed;
  Tensor step;
};

class Module;
using NamedModule = std::pair<std::string, std::shared_ptr<Module>>;

class Module {
 public:
  virtual ~Module() = default;

  // x: a batch, N x ... ; the result depends on train() or eval().
  virtual Tensor forward(const Tensor& x) = 0;

  // What is learnt by gradients, in order of registration, named as PyTorch does.
  std::vector<NamedTensor> parameters() const;
  // All that a file of the network holds: parameters and buffers, in the order of PyTorch's state_dict.
  std::vector<NamedTensor> state() const;
  int64_t parameter_count() const;

  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }
  bool folded() const { return folded_; }

  // Makes it a network for inference alone, whose weights do not change any more: a batch normalisation goes into the
  // convolution that it follows, and weights are sorted once, for images of the size of the first ones. Results are the
  // same but for rounding; parameters() and state() are others, train() throws Error, forward() ShapeError for images
  // of another size.
  void fold();

  // Its parameters are trained no more: they are in state(), not in parameters(), and need no gradient. statistics:
  // those of its normalisations stay as they are too, since train() leaves it in evaluation mode.
  void freeze(bool statistics = true);

  // Gives every dropout layer its draws; layers are told apart by their order. Without it, dropout in training throws.
  void set_dropout_source(const DropoutSource& source);

  // What the auxiliary classifiers made of the latest batch in training. They are given away, each once: kept, they
  // would keep all that backward() needs.
  std::vector<AuxiliaryLogits> take_auxiliary();

  // Appends this module's layers for a sample of the given shape and returns the shape of its output.
  virtual Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const = 0;

 protected:
  void register_parameter(const std::string& name, const Tensor& parameter);
  // Of a folded module that needs it no more.
  void forget_parameter(const std::string& name);
  // A tensor that forward() writes and no gradient reaches.
  void register_buffer(const std::string& name, const Tensor& buffer);
  // name "": what is in it has its names right below this module's.
  void register_module(const std::string& name, const std::shared_ptr<Module>& module);
  void replace_modules(std::vector<NamedModule> modules) { children_ = std::move(modules); }
  // Where modules follow one another: what fold() makes of them, after it was done within each.
  virtual void fold_modules() {}
  // A dropout layer takes its source and the next layer number here.
  virtual void accept_dropout_source(const DropoutSource&, uint32_t& /*next_layer*/) {}

  // An auxiliary classifier adds what it has here.
  virtual void give_auxiliary(std::vector<AuxiliaryLogits>& /*all*/) {}

  const std::vector<NamedModule>& children() const { return children_; }

 private:
  void collect(const std::string& prefix, bool buffers, std::vector<NamedTensor>& out) const;
  void visit_dropout(const DropoutSource& source, uint32_t& next_layer);
  void visit_auxiliary(std::vector<AuxiliaryLogits>& all);

  std::vector<NamedTensor> own_parameters_, own_buffers_;
  std::vector<NamedModule> children_;
  bool training_ = true, folded_ = false;
  bool frozen_ = false, evaluates_only_ = false;
};

// The name of a child's parts: that of its own below its parent's; where one of the two has none, the other.
std::string name_below(const std::string& parent, const std::string& child);

struct HostTensor;
// Copies host tensors into device tensors of the same names, shapes and dtypes. Throws DataError naming in one line all
// that is missing (a num_batches_tracked may be), unknown or of another shape; every tensor is then as it was. where:
// the file, for that text.
void load_tensors(const std::vector<NamedTensor>& into, const std::vector<HostTensor>& values,
                  const std::string& where);
// The same check alone.
void check_fit(const std::vector<NamedTensor>& into, const std::vector<HostTensor>& values, const std::string& where);
std::vector<HostTensor> to_host(const std::vector<NamedTensor>& tensors, const std::string& prefix = "");

}  // namespace cairn
