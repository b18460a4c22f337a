// How parameters start. Every draw is Philox's, keyed by the run's seed and the parameter's number, and so the same on
// every implementation. Not here: which network starts how (models/).
#pragma once

#include <string>
#include <vector>

#include "framework/tensor.h"

namespace cairn {

// weight: out x in, fan_in = in, fan_out = out; a filter's out x in x height x width has fan_in = in * height * width
// and fan_out = out * height * width.
enum class WeightInit {
  pytorch,           // U(+-1/sqrt(fan_in)): nn.Linear's default (kaiming_uniform with a = sqrt(5))
  he_normal,         // N(0, 2/fan_in), He et al. 2015
  he_uniform,        // U(+-sqrt(6/fan_in))
  glorot_normal,     // N(0, 2/(fan_in + fan_out)), Glorot & Bengio 2010
  glorot_uniform,    // U(+-sqrt(6/(fan_in + fan_out)))
  xavier_uniform,    // U(+-sqrt(2 weight_value/(fan_in + fan_out))): MXNet's Xavier of that magnitude
  caffe_xavier,      // U(+-sqrt(3/fan_in)): Caffe's and Caffe2's "xavier"
  cudnn_training,    // U(+-sqrt(3/fan_in)) for filters, U(+-sqrt(3/(in * out))) for matrices: tbennun/cudnn-training
  truncated_normal,  // N(0, weight_value^2), drawn again beyond two deviations: TensorFlow's truncated_normal
  unit_uniform,      // U[0, 1)
  constant,          // InitRule::weight_value
};
enum class BiasInit {
  pytorch,   // U(+-1/sqrt(fan_in)) of the layer's weight
  weight,    // U(+-b) as the layer's weight, which must be of such a rule
  constant,  // InitRule::bias_value
};

// The two values of a rule, for one layer.
struct LayerInit {
  double weight_value, bias_value;
};

struct InitRule {
  WeightInit weight = WeightInit::pytorch;
  BiasInit bias = BiasInit::pytorch;
  double weight_value = 0;  // the constant, the normal's deviation, or the magnitude
  double bias_value = 0;
  std::vector<LayerInit> layers = {};  // in place of the two, for the first, second, ... layer with a weight
};

const char* name_of(WeightInit init);
// Throws UsageError that lists the choices.
WeightInit weight_init_from(const std::string& name);

// Where a network's parameters get their numbers from, in order of construction.
class Initializer {
 public:
  Initializer(const InitRule& rule, uint64_t seed)
      : rule_(rule), values_{rule.weight_value, rule.bias_value}, seed_(seed) {}
  // Leaves every number as memory has it: for a network whose weights are read next, or never.
  static Initializer none();
  // Once a layer, the weight first: out x in, or out x in x height x width.
  void weight(const Tensor& weight);
  void bias(const Tensor& bias, int64_t fan_in);
  // A table of embeddings, vocabulary x features: N(0, 1) where the rule is PyTorch's, else as a weight.
  void table(const Tensor& table);
  // A weight or a bias of recurrent units, under every rule but `constant`: U(+-1/sqrt(hidden)), PyTorch's default and
  // TensorFlow's for 100 units.
  void recurrent(const Tensor& parameter, int64_t hidden);

 private:
  void uniform(const Tensor& tensor, double bound);
  void truncated_normal(const Tensor& tensor, double deviation);
  void fill(Primitive<RandomArgs> Backend::*entry, const Tensor& tensor, double low, double high);
  void set(const Tensor& tensor, double value);
  InitRule rule_;
  LayerInit values_;  // of the latest layer
  uint64_t seed_;
  bool draws_ = true;
  uint32_t next_ = 0;
  size_t layer_ = 0;         // how many weights there were
  double weight_bound_ = 0;  // of the latest weight, if its rule is U(+-b)
};

}  // namespace cairn
