// Layers and modules: names and shapes of parameters, modes, fused and plain paths, loading; and that every kind of
// initialisation has the distribution it is named after and the same draws everywhere.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/nn/layers.h"
#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/row_scale.h"
#include "framework/safetensors.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

constexpr int64_t kOut = 300, kIn = 200;  // 60,000 draws

std::shared_ptr<Sequential> make_network(const std::shared_ptr<Device>& device, uint64_t seed = 1,
                                         double dropped = 0.5) {
  Initializer initializer({}, seed);
  return std::make_shared<Sequential>(std::vector<std::pair<std::string, std::shared_ptr<Module>>>{
      {"flatten", std::make_shared<Flatten>()},
      {"fc1", std::make_shared<Linear>(device, 12, 7, initializer)},
      {"relu1", std::make_shared<ReLU>()},
      {"dropout1", std::make_shared<Dropout>(dropped)},
      {"fc2", std::make_shared<Linear>(device, 7, 3, initializer)}});
}

struct Moments {
  double mean = 0, deviation = 0, lowest = INFINITY, highest = -INFINITY;
};

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) {
    moments.mean += value / static_cast<double>(values.size());
    moments.lowest = std::min(moments.lowest, value);
    moments.highest = std::max(moments.highest, value);
  }
  for (const double value : values)
    moments.deviation += (value - moments.mean) * (value - moments.mean) / static_cast<double>(values.size());
  moments.deviation = std::sqrt(moments.deviation);
  return moments;
}

std::vector<double> draw_weight(const std::shared_ptr<Device>& device, const InitRule& rule, uint64_t seed = 3,
                                DType dtype = DType::f32) {
  const Tensor weight = Tensor::zeros(device, {kOut, kIn}, dtype);
  Initializer(rule, seed).weight(weight);
  return values_of(weight);
}

void check_uniform(const std::vector<double>& values, double low, double high) {
  const Moments moments = moments_of(values);
  const double width = high - low, tolerance = 4 * width / std::sqrt(12.0 * kOut * kIn);  // 4 deviations of the mean
  CHECK(std::abs(moments.mean - (low + high) / 2) <= tolerance);
  CHECK(moments.deviation == doctest::Approx(width / std::sqrt(12)).epsilon(0.01));
  CHECK(moments.lowest >= low - 1e-7);
  CHECK(moments.highest <= high + 1e-7);
  CHECK(moments.lowest <= low + width * 1e-3);
  CHECK(moments.highest >= high - width * 1e-3);
}

void check_normal(const std::vector<double>& values, double deviation) {
  const Moments moments = moments_of(values);
  CHECK(std::abs(moments.mean) <= 4 * deviation / std::sqrt(1.0 * kOut * kIn));
  CHECK(moments.deviation == doctest::Approx(deviation).epsilon(0.015));
  CHECK(moments.highest > 3.5 * deviation);
  CHECK(moments.highest < 6 * deviation);
  int within_one = 0;
  for (const double value : values) within_one += std::abs(value) < deviation;
  CHECK(static_cast<double>(within_one) / static_cast<double>(values.size()) == doctest::Approx(0.6827).epsilon(0.02));
}

}  // namespace

TEST_CASE("parameters have PyTorch's names and shapes, in order") {
  const auto network = make_network(reference());
  const std::vector<std::pair<std::string, Shape>> expected = {
      {"fc1.weight", {7, 12}}, {"fc1.bias", {7}}, {"fc2.weight", {3, 7}}, {"fc2.bias", {3}}};
  const std::vector<NamedTensor> parameters = network->parameters();
  REQUIRE(parameters.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(parameters[i].name == expected[i].first);
    CHECK(parameters[i].tensor.shape() == expected[i].second);
    CHECK(parameters[i].tensor.requires_grad());
  }
  CHECK(network->parameter_count() == 7 * 12 + 7 + 3 * 7 + 3);
}

TEST_CASE("a network's summary adds up") {
  const auto network = make_network(reference());
  std::vector<LayerSummary> layers;
  CHECK(network->summarize({1, 3, 4}, "", layers) == Shape{3});
  REQUIRE(layers.size() == 5);
  const char* names[] = {"flatten", "fc1", "relu1", "dropout1", "fc2"};
  const char* types[] = {"Flatten", "Linear", "ReLU", "Dropout", "Linear"};
  const Shape outputs[] = {{12}, {7}, {7}, {7}, {3}};
  const int64_t parameters[] = {0, 91, 0, 0, 24}, macs[] = {0, 84, 0, 0, 21};
  for (size_t i = 0; i < 5; ++i) {
    CHECK(layers[i].name == names[i]);
    CHECK(layers[i].type == types[i]);
    CHECK(layers[i].output == outputs[i]);
    CHECK(layers[i].parameters == parameters[i]);
    CHECK(layers[i].macs == macs[i]);
  }
}

TEST_CASE("a Linear followed by a ReLU computes the same fused as apart") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    Initializer initializer({}, 1);
    const auto layer = std::make_shared<Linear>(device, 12, 7, initializer);
    Sequential fused({{"fc", layer}, {"relu", std::make_shared<ReLU>()}});
    const Tensor x = random_tensor(device, {5, 12}, 9);
    const Tensor weights = random_tensor(device, {5, 7}, 10);
    std::vector<std::vector<double>> results[2];
    for (const bool apart : {false, true}) {
      layer->weight.clear_grad();
      layer->bias.clear_grad();
      const Tensor y = apart ? relu(layer->forward(x)) : fused.forward(x);
      backward(sum(multiply(y, weights)));
      results[apart] = {values_of(y), values_of(layer->weight.grad()), values_of(layer->bias.grad())};
    }
    for (size_t i = 0; i < 3; ++i) CHECK(relative_error(results[0][i], results[1][i]) <= 1e-6);
  }
}

// An activation: no parameters, its input's shape, and this function of each element.
template <class Layer>
void check_activation(const char* type, double (*function)(double)) {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const auto layer = std::make_shared<Layer>();
    const Sequential network({{"activation", layer}});
    CHECK(network.parameter_count() == 0);
    std::vector<LayerSummary> layers;
    CHECK(network.summarize({7, 3}, "", layers) == Shape{7, 3});
    REQUIRE(layers.size() == 1);
    CHECK(layers[0].type == type);
    const Tensor x = random_tensor(device, {5, 7}, 9, DType::f32, -3, 3);
    std::vector<double> expected = values_of(x);
    for (double& value : expected) value = function(value);
    CHECK(relative_error(values_of(layer->forward(x)), expected) <= 1e-6);
    // Rows of a byte data set that nobody has gathered.
    const Tensor bytes = Tensor::from_host<uint8_t>(device, {2, 3}, std::vector<uint8_t>{0, 1, 2, 3, 4, 5});
    const Tensor pending = Tensor::byte_rows(bytes, labels_of(device, {1, 0}), RowScale(device, 0.5f, -1));
    const Tensor rows = tensor_of(device, {2, 3}, DType::f32, {0.5, 1, 1.5, -1, -0.5, 0});
    CHECK(values_of(layer->forward(pending)) == values_of(layer->forward(rows)));
  }
}

TEST_CASE("Tanh is the op, has no parameters and keeps its input's shape") {
  check_activation<Tanh>("Tanh", [](double x) { return std::tanh(x); });
}

TEST_CASE("Sigmoid is the op, has no parameters and keeps its input's shape") {
  check_activation<Sigmoid>("Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); });
}

TEST_CASE("GELU is the op, has no parameters and keeps its input's shape") {
  check_activation<GELU>("GELU", [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); });
}

TEST_CASE("dropout follows the mode, the step and the layer") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const int64_t count = 20'000;
    const auto first = std::make_shared<Dropout>(0.25), second = std::make_shared<Dropout>(0.25);
    Sequential network({{"a", first}, {"b", second}});
    const Tensor x = tensor_of(device, {1, count}, DType::f32, std::vector<double>(count, 3));
    CHECK(message_of<Error>([&] { network.forward(x); }) ==
          "dropout: set_dropout_source was not called on the network");

    Tensor step = Tensor::zeros(device, {}, DType::i64);
    network.set_dropout_source({11, step});
    const std::vector<double> mask = values_of(first->forward(x));
    int64_t dropped = 0;
    for (const double value : mask) {
      CHECK((value == 0 || value == 4));
      dropped += value == 0;
    }
    const double deviation = std::sqrt(0.25 * 0.75 * count);
    CHECK(std::abs(static_cast<double>(dropped) - 0.25 * count) <= 4 * deviation);
    CHECK(values_of(first->forward(x)) == mask);
    CHECK(values_of(second->forward(x)) != mask);
    step.set<int64_t>(std::vector<int64_t>{1});
    CHECK(values_of(first->forward(x)) != mask);
    step.set<int64_t>(std::vector<int64_t>{0});
    network.set_dropout_source({12, step});
    CHECK(values_of(first->forward(x)) != mask);
    network.set_dropout_source({11, step});
    CHECK(values_of(first->forward(x)) == mask);

    network.eval();
    CHECK_FALSE(first->training());
    CHECK(network.forward(x).data() == x.data());
    network.train();
    CHECK(first->training());
    CHECK(values_of(first->forward(x)) == mask);
  }
  CHECK(message_of<UsageError>([] { Dropout layer(1.0); }) == "a dropout probability must be in [0, 1), not 1.000000");
  CHECK(message_of<UsageError>([] { Dropout layer(NAN); }) == "a dropout probability must be in [0, 1), not nan");
  const Tensor x = random_tensor(reference(), {3}, 1);
  CHECK(Dropout(0).forward(x).data() == x.data());  // nothing to draw
}

TEST_CASE("weights go to a file and into another network") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const TemporaryFolder folder;
    const auto path = folder.path() / "model.safetensors";
    const auto from = make_network(device, 1), into = make_network(device, 2);
    const Tensor x = random_tensor(device, {4, 1, 3, 4}, 1);
    from->eval();
    into->eval();
    CHECK(values_of(from->forward(x)) != values_of(into->forward(x)));
    write_safetensors(path, to_host(from->parameters()));
    load_tensors(into->parameters(), read_safetensors(path), path.string());
    CHECK(values_of(from->forward(x)) == values_of(into->forward(x)));
  }
}

TEST_CASE("weights that do not fit are refused as a whole, and nothing is changed") {
  const auto network = make_network(reference());
  const std::vector<HostTensor> good = to_host(network->parameters());
  const auto refusal = [&](const std::vector<HostTensor>& values) {
    CHECK(message_of<DataError>([&] { check_fit(network->parameters(), values, "w.safetensors"); }) ==
          message_of<DataError>([&] { load_tensors(network->parameters(), values, "w.safetensors"); }));
    const std::vector<HostTensor> now = to_host(network->parameters());
    for (size_t i = 0; i < good.size(); ++i) CHECK(now[i].bytes == good[i].bytes);
    return message_of<DataError>([&] { load_tensors(network->parameters(), values, "w.safetensors"); });
  };
  std::vector<HostTensor> changed = good;
  for (HostTensor& value : changed) std::fill(value.bytes.begin(), value.bytes.end(), std::byte{1});
  std::vector<HostTensor> bad = changed;
  bad[0].shape = {12, 7};
  bad[1].dtype = DType::i32;
  bad[3].name = "fc3.bias";
  CHECK(refusal(bad) ==
        "w.safetensors does not fit: fc1.weight is f32[12, 7] there and f32[7, 12] here; fc1.bias is "
        "i32[7] there and f32[7] here; fc2.bias is missing; 'fc3.bias' is unknown here");
  CHECK(refusal({}) ==
        "w.safetensors does not fit: fc1.weight is missing; fc1.bias is missing; fc2.weight is missing; "
        "fc2.bias is missing");
  std::vector<HostTensor> many = good;
  for (int i = 0; i < 10; ++i) many.push_back({"new\nline" + std::to_string(i), DType::u8, {0}, {}});
  const std::string text = refusal(many);
  CHECK(text.substr(0, 62) == "w.safetensors does not fit: 'new?line0' is unknown here; 'new?");
  CHECK(text.substr(text.size() - 41) == "; 'new?line7' is unknown here; and 2 more");
  load_tensors(network->parameters(), changed, "w.safetensors");
  CHECK(to_host(network->parameters())[2].bytes == changed[2].bytes);
}

TEST_CASE("every kind of initialisation has its formula's bounds, mean and deviation") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const auto draw = [&](WeightInit kind) { return draw_weight(device, {.weight = kind, .weight_value = 0.7}); };
    const double in = kIn, both = kIn + kOut;
    check_uniform(draw(WeightInit::pytorch), -1 / std::sqrt(in), 1 / std::sqrt(in));
    check_uniform(draw(WeightInit::he_uniform), -std::sqrt(6 / in), std::sqrt(6 / in));
    check_uniform(draw(WeightInit::glorot_uniform), -std::sqrt(6 / both), std::sqrt(6 / both));
    check_uniform(draw(WeightInit::xavier_uniform), -std::sqrt(2 * 0.7 / both), std::sqrt(2 * 0.7 / both));
    check_uniform(draw(WeightInit::unit_uniform), 0, 1);
    check_normal(draw(WeightInit::he_normal), std::sqrt(2 / in));
    check_normal(draw(WeightInit::glorot_normal), std::sqrt(2 / both));
    CHECK(draw(WeightInit::constant) == std::vector<double>(kOut * kIn, 0.7f));

    const Tensor bias = Tensor::zeros(device, {60'000});
    Initializer({}, 3).bias(bias, 25);
    check_uniform(values_of(bias), -0.2, 0.2);
    Initializer({.bias = BiasInit::constant, .bias_value = -0.1}, 3).bias(bias, 25);
    CHECK(values_of(bias) == std::vector<double>(60'000, -0.1f));
  }
}

TEST_CASE("initialisation is the same everywhere, differs by seed, and by parameter") {
  for (const WeightInit kind : {WeightInit::pytorch, WeightInit::he_normal}) {
    const InitRule rule{.weight = kind};
    const std::vector<double> expected = draw_weight(reference(), rule, 3);
    const std::vector<double> wide = draw_weight(reference(), rule, 3, DType::f64);
    CHECK(relative_error(expected, wide) <= 1e-7);
    CHECK(draw_weight(reference(), rule, 3) == expected);
    CHECK(draw_weight(reference(), rule, 4) != expected);
    CHECK(draw_weight(reference(), rule, 3 + (uint64_t{1} << 32)) != expected);
    for (const auto& device : devices()) {
      CAPTURE(device->label());
      CHECK(relative_error(draw_weight(device, rule, 3), expected) <= 1e-6);
    }
    const Tensor first = Tensor::zeros(reference(), {kOut, kIn}), second = Tensor::zeros(reference(), {kOut, kIn});
    Initializer initializer(rule, 3);
    initializer.weight(first);
    initializer.weight(second);
    CHECK(values_of(first) == expected);
    CHECK(values_of(second) != expected);
  }
}

TEST_CASE("a rule can give each layer its own two values") {
  Initializer initializer({.weight = WeightInit::constant,
                           .bias = BiasInit::constant,
                           .weight_value = 9,
                           .bias_value = 8,
                           .layers = {{1, 2}, {3, 4}}},
                          1);
  std::vector<double> found;
  for (int layer = 0; layer < 3; ++layer) {
    const Tensor weight = Tensor::zeros(reference(), {1, 1}), bias = Tensor::zeros(reference(), {1});
    initializer.weight(weight);
    initializer.bias(bias, 1);
    found.push_back(weight.item());
    found.push_back(bias.item());
  }
  CHECK(found == std::vector<double>{1, 2, 3, 4, 9, 8});
}

TEST_CASE("initialisations are known by name") {
  for (const char* name : {"pytorch", "he-normal", "he-uniform", "glorot-normal", "glorot-uniform", "xavier-uniform",
                           "caffe-xavier", "cudnn-training", "truncated-normal", "unit-uniform", "constant"})
    CHECK(std::string(name_of(weight_init_from(name))) == name);
  CHECK(message_of<UsageError>([] { weight_init_from("xavier"); }) ==
        "unknown initialisation 'xavier': choose one of pytorch, he-normal, he-uniform, glorot-normal, glorot-uniform, "
        "xavier-uniform, caffe-xavier, cudnn-training, truncated-normal, unit-uniform, constant");
}

}  // namespace cairn::test
