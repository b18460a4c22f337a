#include "framework/nn/init.h"

#include <array>
#include <cmath>

#include "framework/error.h"
#include "framework/random.h"

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

void Initializer::weight(const Tensor& weight) {
  const auto fan_out = static_cast<double>(weight.shape().rows());
  const auto fan_in = static_cast<double>(weight.shape().columns());
  const auto uniform = [&](double bound) { fill(&Backend::uniform, weight, -bound, bound); };
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
    case WeightInit::unit_uniform:
      return fill(&Backend::uniform, weight, 0, 1);
    case WeightInit::constant:
      return set(weight, rule_.weight_value);
  }
}

void Initializer::bias(const Tensor& bias, int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  if (rule_.bias == BiasInit::pytorch) return fill(&Backend::uniform, bias, -bound, bound);
  set(bias, rule_.bias_value);
}

void Initializer::fill(Primitive<RandomArgs> Backend::*entry, const Tensor& tensor, double low, double high) {
  const RandomArgs args{
      tensor.dtype(), tensor.count(), tensor.data(), low, high, seed_, make_stream(RandomPurpose::kInit, next_++)};
  tensor.device()->call(entry, args);
}

// A draw from an interval of no width: a constant without a primitive of its own.
void Initializer::set(const Tensor& tensor, double value) {
  fill(&Backend::uniform, tensor, value, value);
}

}  // namespace cairn
