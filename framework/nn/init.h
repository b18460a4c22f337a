// How parameters start. Every draw is Philox's, keyed by the run's seed and the parameter's number, and so the same on
// every implementation. Not here: which network starts how (models/).
#pragma once

#include <string>

#include "framework/tensor.h"

namespace cairn {

// weight: out x in.  fan_in = in, fan_out = out.
enum class WeightInit {
  pytorch,         // U(+-1/sqrt(fan_in)): nn.Linear's default (kaiming_uniform with a = sqrt(5))
  he_normal,       // N(0, 2/fan_in), He et al. 2015
  he_uniform,      // U(+-sqrt(6/fan_in))
  glorot_normal,   // N(0, 2/(fan_in + fan_out)), Glorot & Bengio 2010
  glorot_uniform,  // U(+-sqrt(6/(fan_in + fan_out)))
  unit_uniform,    // U[0, 1)
  constant,        // InitRule::weight_value
};
enum class BiasInit {
  pytorch,   // U(+-1/sqrt(fan_in)) of the layer's weight
  constant,  // InitRule::bias_value
};

struct InitRule {
  WeightInit weight = WeightInit::pytorch;
  BiasInit bias = BiasInit::pytorch;
  double weight_value = 0;
  double bias_value = 0;
};

const char* name_of(WeightInit init);
// Throws UsageError that lists the choices.
WeightInit weight_init_from(const std::string& name);

// Where a network's parameters get their numbers from, in order of construction.
class Initializer {
 public:
  Initializer(const InitRule& rule, uint64_t seed) : rule_(rule), seed_(seed) {}
  void weight(const Tensor& weight);  // out x in
  void bias(const Tensor& bias, int64_t fan_in);

 private:
  void fill(Primitive<RandomArgs> Backend::*entry, const Tensor& tensor, double low, double high);
  void set(const Tensor& tensor, double value);
  InitRule rule_;
  uint64_t seed_;
  uint32_t next_ = 0;
};

}  // namespace cairn
