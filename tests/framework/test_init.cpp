// The initialisations of published recipes: fans of filters, bounds that a bias shares with its weight, and the
// truncated normal, draw by draw. Not here: the usual rules on matrices (test_nn.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "framework/nn/init.h"
#include "framework/random.h"
#include "kernels/philox.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

constexpr int64_t kOutChannels = 20, kInChannels = 30, kSide = 5;

struct Layer {
  std::vector<double> weight, bias;
};

// One layer: out x in x side x side, or out x in where side is 0.
Layer draw(const std::shared_ptr<Device>& device, const InitRule& rule, int64_t side, DType dtype = DType::f32) {
  const Shape shape = side > 0 ? Shape{kOutChannels, kInChannels, side, side} : Shape{kOutChannels, kInChannels};
  const Tensor weight = Tensor::zeros(device, shape, dtype), bias = Tensor::zeros(device, {kOutChannels}, dtype);
  Initializer initializer(rule, 3);
  initializer.weight(weight);
  initializer.bias(bias, shape.columns());
  return {values_of(weight), values_of(bias)};
}

double largest(const std::vector<double>& values) {
  double value = 0;
  for (const double each : values) value = std::max(value, std::fabs(each));
  return value;
}

// All within the bound, and some close to it.
void check_bound(const std::vector<double>& values, double bound) {
  CHECK(largest(values) <= bound * (1 + 1e-6));
  CHECK(largest(values) >= bound * (values.size() > 100 ? 0.98 : 0.6));
}

}  // namespace

TEST_CASE("a filter's fans count its area") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const double in = kInChannels * kSide * kSide, out = kOutChannels * kSide * kSide;
    const auto bound = [&](WeightInit kind, double expected) {
      check_bound(draw(device, {.weight = kind}, kSide).weight, expected);
    };
    bound(WeightInit::pytorch, 1 / std::sqrt(in));
    bound(WeightInit::he_uniform, std::sqrt(6 / in));
    bound(WeightInit::glorot_uniform, std::sqrt(6 / (in + out)));
    bound(WeightInit::caffe_xavier, std::sqrt(3 / in));
    bound(WeightInit::cudnn_training, std::sqrt(3 / in));
  }
}

TEST_CASE("the rules of published programs on a matrix, and a bias that shares its weight's bound") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const InitRule caffe{WeightInit::caffe_xavier, BiasInit::constant};
    CHECK(largest(draw(device, caffe, 0).bias) == 0);
    check_bound(draw(device, caffe, 0).weight, std::sqrt(3.0 / kInChannels));
    const InitRule cudnn{WeightInit::cudnn_training, BiasInit::weight};
    check_bound(draw(device, cudnn, 0).weight, std::sqrt(3.0 / (kInChannels * kOutChannels)));
    check_bound(draw(device, cudnn, 0).bias, std::sqrt(3.0 / (kInChannels * kOutChannels)));
    check_bound(draw(device, cudnn, kSide).bias, std::sqrt(3.0 / (kInChannels * kSide * kSide)));
  }
}

TEST_CASE("a truncated normal is the normal's draw, taken again where it lies beyond two deviations") {
  const InitRule rule{WeightInit::truncated_normal, BiasInit::constant, 0.1, 0.25};
  const Layer expected = draw(reference(), rule, kSide);
  CHECK(expected.bias == std::vector<double>(kOutChannels, 0.25));
  CHECK(largest(expected.weight) <= 0.2 + 1e-7);
  int again = 0;
  double squares = 0;
  for (size_t i = 0; i < expected.weight.size(); ++i) {
    const uint32_t stream = make_stream(RandomPurpose::kInit, 0);
    uint32_t attempt = 0;
    while (std::fabs(philox::normal_at(3, stream, attempt, i)) > 2) ++attempt;
    again += attempt > 0;
    CHECK(expected.weight[i] == static_cast<float>(0.1 * philox::normal_at(3, stream, attempt, i)));
    squares += expected.weight[i] * expected.weight[i];
  }
  const auto count = static_cast<double>(expected.weight.size());
  CHECK(again / count == doctest::Approx(0.0455).epsilon(0.1));               // of a normal beyond two deviations
  CHECK(std::sqrt(squares / count) == doctest::Approx(0.088).epsilon(0.02));  // what is left of 0.1
  for (const auto& device : devices()) CHECK(draw(device, rule, kSide).weight == expected.weight);
  CHECK(relative_error(draw(reference(), rule, kSide, DType::f64).weight, expected.weight) <= 1e-7);
}

}  // namespace cairn::test
