#include "framework/nn/init.h"

#include <array>
#include <cmath>

#include "framework/error.h"
#include "framework/random.h"
#include "kernels/philox.h"

namespace cairn {
namespace {

struct Name {
  WeightInit init;
  const char* name;
};
constexpr std::array kNames = {
    Name{WeightInit::pytorch, "pytorch"},
    Name{WeightInit::he_normal, "he-normal"},
    Name{WeightInit::he_uniform, "he-uniform"},
    Name{WeightInit::glorot_normal, "glorot-normal"},
    Name{WeightInit::glorot_uniform, "glorot-uniform"},
    Name{WeightInit::xavier_uniform, "xavier-uniform"},
    Name{WeightInit::caffe_xavier, "caffe-xavier"},
    Name{WeightInit::cudnn_training, "cudnn-training"},
    Name{WeightInit::truncated_normal, "truncated-normal"},
    Name{WeightInit::unit_uniform, "unit-uniform"},
    Name{WeightInit::constant, "constant"},
};

}  // namespace

const char* name_of(WeightInit init) {
  for (const Name& entry : kNames)
    if (entry.init == init) return entry.name;
  return "?";
}

WeightInit weight_init_from(const std::string& name) {
  std::string choices;
  for (const Name& entry : kNames) {
    if (name == entry.name) return entry.init;
    choices += (choices.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw UsageError("unknown initialisation '" + name + "': choose one of " + choices);
}

Initializer Initializer::none() {
  Initializer initializer(InitRule{}, 0);
  initializer.draws_ = false;
  return initializer;
}

void Initializer::weight(const Tensor& weight) {
  const size_t layer = layer_++;
  values_ = layer < rule_.layers.size() ? rule_.layers[layer] : LayerInit{rule_.weight_value, rule_.bias_value};
  const Shape& shape = weight.shape();
  const bool filter = shape.rank() == 4;
  const auto fan_in = static_cast<double>(shape.columns());
  const auto fan_out = static_cast<double>(filter ? shape[0] * shape[2] * shape[3] : shape.rows());
  const auto uniform = [&](double bound) { this->uniform(weight, weight_bound_ = bound); };
  const auto normal = [&](double variance) { fill(&Backend::normal, weight, 0, std::sqrt(variance)); };
  switch (rule_.weight) {
    case WeightInit::pytorch:
      return uniform(1 / std::sqrt(fan_in));
    case WeightInit::he_normal:
      return normal(2 / fan_in);
    case WeightInit::he_uniform:
      return uniform(std::sqrt(6 / fan_in));
    case WeightInit::glorot_normal:
      return normal(2 / (fan_in + fan_out));
    case WeightInit::glorot_uniform:
      return uniform(std::sqrt(6 / (fan_in + fan_out)));
    case WeightInit::xavier_uniform:
      return uniform(std::sqrt(2 * values_.weight_value / (fan_in + fan_out)));
    case WeightInit::caffe_xavier:
      return uniform(std::sqrt(3 / fan_in));
    case WeightInit::cudnn_training:
      return uniform(std::sqrt(3 / (filter ? fan_in : static_cast<double>(weight.count()))));
    case WeightInit::truncated_normal:
      return truncated_normal(weight, values_.weight_value);
    case WeightInit::unit_uniform:
      return fill(&Backend::uniform, weight, 0, 1);
    case WeightInit::constant:
      return set(weight, values_.weight_value);
  }
}

void Initializer::bias(const Tensor& bias, int64_t fan_in) {
  switch (rule_.bias) {
    case BiasInit::pytorch:
      return uniform(bias, 1 / std::sqrt(static_cast<double>(fan_in)));
    case BiasInit::weight:
      return uniform(bias, weight_bound_);
    case BiasInit::constant:
      return set(bias, values_.bias_value);
  }
}

void Initializer::table(const Tensor& table) {
  if (rule_.weight != WeightInit::pytorch) return weight(table);
  fill(&Backend::normal, table, 0, 1);
}

void Initializer::recurrent(const Tensor& parameter, int64_t hidden) {
  if (rule_.weight == WeightInit::constant) return set(parameter, rule_.weight_value);
  uniform(parameter, 1 / std::sqrt(static_cast<double>(hidden)));
}

void Initializer::uniform(const Tensor& tensor, double bound) {
  fill(&Backend::uniform, tensor, -bound, bound);
}

// On the host, for every implementation alike. An element's first draw is the normal one's (step 0 of its stream);
// attempt n, which one element in twenty needs, is step n's.
void Initializer::truncated_normal(const Tensor& tensor, double deviation) {
  constexpr double kWidest = 2;
  const uint32_t stream = make_stream(RandomPurpose::kInit, next_++);
  std::vector<double> values(static_cast<size_t>(tensor.count()));
  for (size_t i = 0; i < values.size(); ++i) {
    double draw = kWidest + 1;
    for (uint32_t attempt = 0; std::fabs(draw) > kWidest; ++attempt)
      draw = philox::normal_at(seed_, stream, attempt, i);
    values[i] = deviation * draw;
  }
  if (tensor.dtype() == DType::f64) return Tensor(tensor).set<double>(values);
  Tensor(tensor).set<float>(std::vector<float>(values.begin(), values.end()));
}

void Initializer::fill(Primitive<RandomArgs> Backend::*entry, const Tensor& tensor, double low, double high) {
  if (!draws_) return;
  const RandomArgs args{
      tensor.dtype(), tensor.count(), tensor.data(), low, high, seed_, make_stream(RandomPurpose::kInit, next_++)};
  tensor.device()->call(entry, args);
}

// A draw from an interval of no width: a constant without a primitive of its own.
void Initializer::set(const Tensor& tensor, double value) {
  fill(&Backend::uniform, tensor, value, value);
}

}  // namespace cairn
