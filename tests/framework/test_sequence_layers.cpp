// Layers for sequences: PyTorch's names and shapes, how they start, a learnt start, the same states everywhere. Not
// here: their ops' gradients (test_gradcheck.cpp), the primitives (tests/kernels).
#include <doctest/doctest.h>

#include <cmath>

#include "framework/autograd.h"
#include "framework/nn/layers.h"
#include "framework/nn/sequence_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/sequence.h"
#include "tests/framework/gradcheck.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

using DevicePointer = std::shared_ptr<Device>;

std::shared_ptr<Module> network(const DevicePointer& device, const GruOptions& options, DType dtype = DType::f32) {
  Initializer initializer({}, 3);
  return std::make_shared<Sequential>(
      std::vector<NamedModule>{{"embedding", std::make_shared<Embedding>(device, 11, 4, initializer, dtype)},
                               {"gru", std::make_shared<Gru>(device, 4, 6, initializer, options, dtype)}});
}

Tensor ids_on(const DevicePointer& device) {
  const std::vector<int32_t> ids = {1, 5, 10, 0, 0, 3, 5, 5, 2, 10, 9, 7};
  return Tensor::from_host<int32_t>(device, {3, 4}, ids);
}

}  // namespace

TEST_CASE("sequence layers are named and shaped as PyTorch's, and say what they take") {
  const auto names = [](const Module& module) {
    std::vector<std::string> all;
    for (const NamedTensor& parameter : module.state()) all.push_back(parameter.name + parameter.tensor.shape().text());
    return all;
  };
  const std::vector<std::string> expected = {"embedding.weight[11, 4]", "gru.weight_ih_l0[18, 4]",
                                             "gru.weight_hh_l0[18, 6]", "gru.bias_ih_l0[18]", "gru.bias_hh_l0[18]"};
  CHECK(names(*network(reference(), {})) == expected);
  std::vector<std::string> with_start = expected;
  with_start.push_back("gru.h0[1, 6]");
  CHECK(names(*network(reference(), {.learn_start = true})) == with_start);

  std::vector<LayerSummary> layers;
  CHECK(network(reference(), {.learn_start = true})->summarize({4}, "", layers) == Shape{6});
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].output == Shape{4, 4});
  CHECK(layers[0].parameters == 44);
  CHECK(layers[1].parameters == 18 * 10 + 36 + 6);
  CHECK(layers[1].macs == 4 * 18 * 10);
  CHECK(network(reference(), {.all_steps = true})->summarize({4}, "", layers) == Shape{4, 6});
}

TEST_CASE(
    "a table starts normal under PyTorch's rule and as a weight under others; recurrent units from "
    "U(+-1/sqrt(hidden))") {
  const auto deviation = [](const Tensor& tensor) {
    double squares = 0;
    for (const float value : tensor.to_host<float>()) squares += static_cast<double>(value) * value;
    return std::sqrt(squares / static_cast<double>(tensor.count()));
  };
  Initializer pytorch({}, 1), glorot({WeightInit::glorot_uniform, BiasInit::constant}, 1);
  CHECK(deviation(Embedding(reference(), 500, 40, pytorch).weight) == doctest::Approx(1).epsilon(0.02));
  CHECK(deviation(Embedding(reference(), 500, 40, glorot).weight) ==
        doctest::Approx(std::sqrt(2.0 / 540)).epsilon(0.02));
  const Gru unit(reference(), 30, 25, glorot);
  for (const NamedTensor& parameter : unit.parameters()) {
    CAPTURE(parameter.name);
    for (const float value : parameter.tensor.to_host<float>()) CHECK(std::fabs(value) <= 0.2f);
    CHECK(deviation(parameter.tensor) == doctest::Approx(0.2 / std::sqrt(3)).epsilon(0.15));
  }
}

TEST_CASE("a learnt start is the same for every sequence, and gradients reach it") {
  const std::shared_ptr<Module> module = network(reference(), {.learn_start = true}, DType::f64);
  const std::vector<NamedTensor> parameters = module->parameters();
  std::vector<double> start(6);
  for (size_t i = 0; i < 6; ++i) start[i] = 0.1 * static_cast<double>(i) - 0.2;
  Tensor(parameters.back().tensor).set<double>(start);
  std::vector<Tensor> inputs;
  for (const NamedTensor& parameter : parameters) inputs.push_back(parameter.tensor);
  const Gradcheck result =
      gradcheck([&](const std::vector<Tensor>&) { return module->forward(ids_on(reference())); }, inputs);
  CHECK(result.fault == "");
  CHECK(result.checked >= (44 + 18 * 10 + 36 + 6) / 5);  // a small sweep checks every fifth
}

TEST_CASE("the padding's row gets no gradient, the others what they had") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const auto gradient = [&](int64_t padding) {
      Tensor weight = random_tensor(device, {11, 2}, 1);
      weight.set_requires_grad(true);
      const Tensor rows = embedding(weight, ids_on(device), padding);
      backward(sum(multiply(rows, random_tensor(device, rows.shape(), 2))));
      return values_of(weight.grad());
    };
    const std::vector<double> all = gradient(-1), padded = gradient(5);
    REQUIRE(padded.size() == 22);
    for (size_t i = 0; i < all.size(); ++i) CHECK(padded[i] == (i / 2 == 5 ? 0 : all[i]));
    CHECK(all[10] != 0);
  }
}

TEST_CASE("the same states on every implementation, in training and in evaluation") {
  const std::vector<double> expected = values_of(network(reference(), {})->forward(ids_on(reference())));
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const std::shared_ptr<Module> module = network(device, {});
    CHECK(relative_error(values_of(module->forward(ids_on(device))), expected) <= 1e-5);
    const NoGrad none;
    module->eval();
    CHECK(relative_error(values_of(module->forward(ids_on(device))), expected) <= 1e-5);
  }
}

}  // namespace cairn::test
