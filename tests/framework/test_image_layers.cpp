// Layers on images: names and shapes of what a network holds, summaries, fused and plain paths, batch norm's running
// statistics, and captured steps. Not here: the ops' numbers (test_gradcheck.cpp, test_agreement.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/nn/image_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/optim/optimizer.h"
#include "framework/row_scale.h"
#include "framework/safetensors.h"
#include "tests/framework/op_cases.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

using Layers = std::vector<std::pair<std::string, std::shared_ptr<Module>>>;

std::shared_ptr<Conv2d> make_convolution(const std::shared_ptr<Device>& device, int64_t in, int64_t out,
                                         const Conv2dLayerOptions& options = {}, uint64_t seed = 1) {
  Initializer initializer({}, seed);
  return std::make_shared<Conv2d>(device, in, out, 3, initializer, options);
}

// For images of 2 x 6 x 6 in 3 classes.
std::shared_ptr<Sequential> make_image_network(const std::shared_ptr<Device>& device, uint64_t seed = 1) {
  Initializer initializer({}, seed);
  return std::make_shared<Sequential>(
      Layers{{"conv1", std::make_shared<Conv2d>(device, 2, 4, 3, initializer, Conv2dLayerOptions{.padding = 1})},
             {"bn1", std::make_shared<BatchNorm2d>(device, 4)},
             {"relu1", std::make_shared<ReLU>()},
             {"pool1", std::make_shared<MaxPool2d>(3, 2, 1)},
             {"conv2", std::make_shared<Conv2d>(device, 4, 5, 2, initializer, Conv2dLayerOptions{.bias = false})},
             {"relu2", std::make_shared<ReLU>()},
             {"norm2", std::make_shared<LocalResponseNorm>(3)},
             {"pool2", std::make_shared<AvgPool2d>(2, 1)},
             {"flatten", std::make_shared<Flatten>()},
             {"dropout", std::make_shared<Dropout>(0.25)},
             {"fc", std::make_shared<Linear>(device, 5, 3, initializer)}});
}

struct NameAndShape {
  const char* name;
  Shape shape;
};

void check_held(const std::vector<NamedTensor>& actual, const std::vector<NameAndShape>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(actual[i].name == expected[i].name);
    CHECK(actual[i].tensor.shape() == expected[i].shape);
  }
}

// The result and every parameter's gradient, of the network as it is and of its layers one by one.
void check_fusion(const std::shared_ptr<Device>& device, const Layers& layers, const Tensor& x) {
  std::vector<std::vector<double>> results[2];
  for (const bool apart : {false, true}) {
    Sequential network(layers);
    network.set_dropout_source({11, Tensor::zeros(device, {}, DType::i64)});
    for (NamedTensor& parameter : network.parameters()) parameter.tensor.clear_grad();
    Tensor y = x;
    if (apart)
      for (const auto& layer : layers) y = layer.second->forward(y);
    else
      y = network.forward(x);
    backward(sum(multiply(y, random_tensor(device, y.shape(), 10))));
    results[apart].push_back(values_of(y));
    for (const NamedTensor& parameter : network.parameters())
      results[apart].push_back(values_of(parameter.tensor.grad()));
  }
  for (size_t i = 0; i < results[0].size(); ++i) CHECK(relative_error(results[0][i], results[1][i]) <= 1e-6);
}

}  // namespace

TEST_CASE("networks on images have PyTorch's names and shapes, buffers in state_dict's places") {
  const auto network = make_image_network(reference());
  check_held(network->parameters(), {{"conv1.weight", {4, 2, 3, 3}},
                                     {"conv1.bias", {4}},
                                     {"bn1.weight", {4}},
                                     {"bn1.bias", {4}},
                                     {"conv2.weight", {5, 4, 2, 2}},
                                     {"fc.weight", {3, 5}},
                                     {"fc.bias", {3}}});
  check_held(network->state(), {{"conv1.weight", {4, 2, 3, 3}},
                                {"conv1.bias", {4}},
                                {"bn1.weight", {4}},
                                {"bn1.bias", {4}},
                                {"bn1.running_mean", {4}},
                                {"bn1.running_var", {4}},
                                {"bn1.num_batches_tracked", {}},
                                {"conv2.weight", {5, 4, 2, 2}},
                                {"fc.weight", {3, 5}},
                                {"fc.bias", {3}}});
  for (const NamedTensor& parameter : network->parameters()) CHECK(parameter.tensor.requires_grad());
  const std::vector<NamedTensor> state = network->state();
  for (size_t i = 4; i < 7; ++i) CHECK_FALSE(state[i].tensor.requires_grad());
  CHECK(network->parameter_count() == 72 + 4 + 8 + 80 + 15 + 3);
}

TEST_CASE("the summary of a network on images adds up") {
  std::vector<LayerSummary> layers;
  CHECK(make_image_network(reference())->summarize({2, 6, 6}, "", layers) == Shape{3});
  const std::vector<LayerSummary> expected = {{"conv1", "Conv2d", {4, 6, 6}, 76, 72 * 36},
                                              {"bn1", "BatchNorm2d", {4, 6, 6}, 8, 0},
                                              {"relu1", "ReLU", {4, 6, 6}, 0, 0},
                                              {"pool1", "MaxPool2d", {4, 3, 3}, 0, 0},
                                              {"conv2", "Conv2d", {5, 2, 2}, 80, 80 * 4},
                                              {"relu2", "ReLU", {5, 2, 2}, 0, 0},
                                              {"norm2", "LocalResponseNorm", {5, 2, 2}, 0, 0},
                                              {"pool2", "AvgPool2d", {5, 1, 1}, 0, 0},
                                              {"flatten", "Flatten", {5}, 0, 0},
                                              {"dropout", "Dropout", {5}, 0, 0},
                                              {"fc", "Linear", {3}, 18, 15}};
  REQUIRE(layers.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(layers[i].name == expected[i].name);
    CHECK(layers[i].type == expected[i].type);
    CHECK(layers[i].output == expected[i].output);
    CHECK(layers[i].parameters == expected[i].parameters);
    CHECK(layers[i].macs == expected[i].macs);
  }
  layers.clear();
  CHECK(GlobalAvgPool2d().summarize({5, 4, 3}, "pool", layers) == Shape{5});
  CHECK(layers[0].type == "GlobalAvgPool2d");
  CHECK(MaxPool2d(3, 2, 0, true).summarize({1, 24, 24}, "", layers) == Shape{1, 12, 12});  // 11 without ceil
  CHECK(MaxPool2d(3, 2).summarize({1, 24, 24}, "", layers) == Shape{1, 11, 11});
  CHECK(MaxPool2d(2).summarize({1, 5, 5}, "", layers) == Shape{1, 2, 2});
  CHECK(message_of<ShapeError>([&] { MaxPool2d(2).summarize({5}, "", layers); }) ==
        "max_pool2d: a sample must have the layout C x H x W; got [5]");
  CHECK(message_of<ShapeError>([&] {
          make_image_network(reference())->summarize({3, 6, 6}, "", layers);
        }) ==
        "conv2d: x (N x C x H x W) and weight (out x in x kernel height x kernel width) must agree in channels; got x "
        "[1, 3, 6, 6] and weight [4, 2, 3, 3]");
}

TEST_CASE("a convolution's window and padding may have two sizes") {
  const auto options = [](const Conv2d& layer) {
    std::vector<LayerSummary> layers;
    layer.summarize({2, 5, 6}, "", layers);
    std::string text;
    for (const auto& [name, value] : layers[0].options) text += name + "=" + std::to_string(int(value)) + " ";
    return text;
  };
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    Initializer initializer({}, 1);
    Conv2d row(device, 2, 3, {1, 7}, initializer, {.padding = {0, 3}}), column(device, 2, 3, {4, 1}, initializer);
    CHECK(row.weight.shape() == Shape{3, 2, 1, 7});
    CHECK(column.weight.shape() == Shape{3, 2, 4, 1});
    const Tensor x = random_tensor(device, {2, 2, 5, 6}, 3);
    CHECK(row.forward(x).shape() == Shape{2, 3, 5, 6});
    CHECK(column.forward(x).shape() == Shape{2, 3, 2, 6});
    CHECK(values_of(row.forward(x)) == values_of(conv2d(x, row.weight, row.bias, {1, 1, 0, 3})));
    CHECK(options(row) == "stride=1 padding_height=0 padding_width=3 ");
    CHECK(options(column) == "stride=1 padding=0 ");
    CHECK(options(*make_convolution(device, 2, 3, {.padding = 2})) == "stride=1 padding=2 ");
  }
}

TEST_CASE("a filter's fans count its window") {
  const auto largest = [](WeightInit init) {
    const Tensor weight = Tensor::zeros(reference(), {30, 20, 5, 4});
    Initializer({.weight = init}, 3).weight(weight);
    double most = 0;
    for (const double value : values_of(weight)) most = std::max(most, std::abs(value));
    return most;
  };
  CHECK(largest(WeightInit::pytorch) == doctest::Approx(1 / std::sqrt(20 * 20.0)).epsilon(1e-3));
  CHECK(largest(WeightInit::he_uniform) == doctest::Approx(std::sqrt(6 / (20 * 20.0))).epsilon(1e-3));
  CHECK(largest(WeightInit::glorot_uniform) == doctest::Approx(std::sqrt(6 / (50 * 20.0))).epsilon(1e-3));
  Initializer initializer({}, 3);
  const Conv2d layer(reference(), 20, 3000, 3, initializer);
  double most = 0;
  for (const double value : values_of(layer.bias)) most = std::max(most, std::abs(value));
  CHECK(most == doctest::Approx(1 / std::sqrt(20 * 9.0)).epsilon(1e-2));
  most = 0;
  for (const double value : values_of(Conv2d(reference(), 20, 3000, {1, 7}, initializer).bias))
    most = std::max(most, std::abs(value));
  CHECK(most == doctest::Approx(1 / std::sqrt(20 * 7.0)).epsilon(1e-2));
}

TEST_CASE("a ReLU within a convolution or a pool computes the same as apart") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const auto conv = make_convolution(device, 3, 4);
    const auto relu = std::make_shared<ReLU>();
    const auto pool = std::make_shared<MaxPool2d>(3, 2), pool2 = std::make_shared<MaxPool2d>(2);
    const auto dropout = std::make_shared<Dropout>(0.5);
    const Tensor x = random_tensor(device, {5, 3, 11, 10}, 9);
    check_fusion(device, {{"conv", conv}, {"relu", relu}}, x);
    check_fusion(device, {{"conv", conv}, {"relu", relu}, {"pool", pool}}, x);
    check_fusion(device, {{"conv", conv}, {"pool", pool}, {"relu", relu}}, x);
    check_fusion(device, {{"conv", conv}, {"relu", relu}, {"dropout", dropout}, {"pool", pool}}, x);
    check_fusion(device, {{"conv", conv}, {"dropout", dropout}, {"relu", relu}, {"pool", pool}}, x);
    check_fusion(device, {{"conv", conv}, {"pool", pool}, {"relu", relu}, {"pool2", pool2}}, x);
    check_fusion(device, {{"conv", conv}, {"relu", relu}, {"relu2", relu}, {"pool", pool}, {"relu3", relu}}, x);
  }
}

TEST_CASE("what is fused is one call less") {
  const auto conv = make_convolution(reference(), 3, 4);
  const auto relu = std::make_shared<ReLU>();
  const auto pool = std::make_shared<MaxPool2d>(2);
  const auto dropout = std::make_shared<Dropout>(0.5);
  const Tensor x = random_tensor(reference(), {1, 3, 6, 6}, 9), step = Tensor::zeros(reference(), {}, DType::i64);
  const auto calls = [&](const Layers& layers) {
    Sequential network(layers);
    network.set_dropout_source({11, step});
    return Recording(*reference(), [&] { network.forward(x); }).call_count();
  };
  CHECK(calls({{"conv", conv}, {"relu", relu}}) == 1);
  CHECK(calls({{"conv", conv}, {"relu", relu}, {"pool", pool}}) == 2);
  CHECK(calls({{"conv", conv}, {"pool", pool}, {"relu", relu}}) == 2);
  CHECK(calls({{"relu", relu}, {"pool", pool}}) == 1);
  CHECK(calls({{"conv", conv}, {"relu", relu}, {"dropout", dropout}, {"pool", pool}}) == 3);
  CHECK(calls({{"conv", conv}, {"dropout", dropout}, {"relu", relu}, {"pool", pool}}) == 3);
}

TEST_CASE("a pool keeps where its maxima were only for gradients") {
  const auto device = Device::open({.implementation = "reference", .where = "cpu"});
  Tensor x = random_tensor(device, {4, 3, 64, 64}, 9);
  const auto taken = [&] {
    const size_t before = device->memory().live;
    const Tensor y = max_pool2d(x, {2, 2, 2, 2});
    return device->memory().live - before;
  };
  const size_t alone = taken();
  x.set_requires_grad(true);
  CHECK(taken() == 2 * alone);
  const NoGrad no_grad;
  CHECK(taken() == alone);
}

TEST_CASE("batch norm normalises batches in training and by its running statistics in evaluation") {
  const int64_t n = 6, c = 3, plane = 20;
  const auto count = static_cast<double>(n * plane);
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    BatchNorm2d layer(device, c, 0.3, 1e-5);
    CHECK(values_of(layer.weight) == std::vector<double>(c, 1));
    CHECK(values_of(layer.bias) == std::vector<double>(c, 0));
    CHECK(values_of(layer.running_mean) == std::vector<double>(c, 0));
    CHECK(values_of(layer.running_var) == std::vector<double>(c, 1));
    CHECK(layer.num_batches_tracked.item() == 0);

    std::vector<double> mean(c, 0), variance(c, 1);  // as they should run
    for (int step = 1; step <= 3; ++step) {
      const Tensor x = random_tensor(device, {n, c, 4, 5}, static_cast<uint64_t>(step), DType::f32, -1, 3 * step);
      const std::vector<double> values = values_of(x);
      std::vector<double> y;
      if (step == 2) {  // with gradients off the statistics run on
        const NoGrad no_grad;
        y = values_of(layer.forward(x));
      } else {
        y = values_of(layer.forward(x));
      }
      for (int64_t k = 0; k < c; ++k) {
        const auto moments = [&](const std::vector<double>& of) {
          double sum = 0, squares = 0;
          for (int64_t i = 0; i < n * plane; ++i)
            sum += of[static_cast<size_t>((i / plane * c + k) * plane + i % plane)];
          for (int64_t i = 0; i < n * plane; ++i) {
            const double d = of[static_cast<size_t>((i / plane * c + k) * plane + i % plane)] - sum / count;
            squares += d * d;
          }
          return std::pair(sum / count, squares / count);
        };
        const auto index = static_cast<size_t>(k);
        const auto [batch_mean, batch_variance] = moments(values);
        const auto [out_mean, out_variance] = moments(y);
        CHECK(std::abs(out_mean) <= 1e-6);
        CHECK(out_variance == doctest::Approx(1).epsilon(1e-4));
        mean[index] = 0.7 * mean[index] + 0.3 * batch_mean;
        variance[index] = 0.7 * variance[index] + 0.3 * batch_variance * count / (count - 1);
      }
      CHECK(relative_error(values_of(layer.running_mean), mean) <= 1e-6);
      CHECK(relative_error(values_of(layer.running_var), variance) <= 1e-6);
      CHECK(layer.num_batches_tracked.item() == step);
    }

    layer.eval();
    const std::vector<double> kept = values_of(layer.running_mean);
    const Tensor x = random_tensor(device, {1, c, 4, 5}, 9);
    std::vector<double> expected = values_of(x);
    for (size_t i = 0; i < expected.size(); ++i) {
      const size_t k = i / plane;
      expected[i] = (expected[i] - mean[k]) / std::sqrt(variance[k] + 1e-5);
    }
    CHECK(relative_error(values_of(layer.forward(x)), expected) <= 1e-5);
    CHECK(values_of(layer.running_mean) == kept);
    CHECK(layer.num_batches_tracked.item() == 3);
  }
}

TEST_CASE("running statistics go to a file and into another network") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const TemporaryFolder folder;
    const auto path = folder.path() / "model.safetensors";
    const auto from = make_image_network(device, 1), into = make_image_network(device, 2);
    const Tensor x = random_tensor(device, {4, 2, 6, 6}, 1);
    from->set_dropout_source({1, Tensor::zeros(device, {}, DType::i64)});
    for (int step = 0; step < 3; ++step) from->forward(x);
    from->eval();
    into->eval();
    CHECK(values_of(from->forward(x)) != values_of(into->forward(x)));
    write_safetensors(path, to_host(from->state()));
    load_tensors(into->state(), read_safetensors(path), path.string());
    CHECK(values_of(from->forward(x)) == values_of(into->forward(x)));
    CHECK(into->state()[6].tensor.item() == 3);
    write_safetensors(path, to_host(from->parameters()));  // a file without them
    CHECK(message_of<DataError>([&] { load_tensors(into->state(), read_safetensors(path), "w"); }) ==
          "w does not fit: bn1.running_mean is missing; bn1.running_var is missing");
    std::vector<HostTensor> old = to_host(from->state());  // as written before batches were counted
    std::erase_if(old, [](const HostTensor& each) { return each.name.ends_with("num_batches_tracked"); });
    load_tensors(into->state(), old, "w");
    CHECK(into->state()[6].tensor.item() == 3);
  }
}

namespace {

// Everything above in one network, trained on byte rows.
struct ImageTraining {
  static constexpr int64_t kRows = 6, kSteps = 6;

  explicit ImageTraining(const std::shared_ptr<Device>& device)
      : network(make_image_network(device)), history(Tensor::zeros(device, {kSteps})), clock(device, kSteps) {
    const std::vector<uint8_t> values = byte_data(device, kRows, 72).to_host<uint8_t>();
    bytes = Tensor::from_host<uint8_t>(device, {kRows, 2, 6, 6}, values);
    labels = labels_of(device, {0, 1, 2, 0, 1, 2});
    pixels = RowScale(device, 1.0f / 255, -0.5f);
    clock.set_rates(std::vector<float>(kSteps, 0.1f));
    network->set_dropout_source({3, clock.step()});
    optimizer.emplace(network->parameters(), 0.9, 1e-3);
  }

  void step() {
    const Tensor x = Tensor::byte_rows(bytes, Tensor(), pixels);
    const Tensor loss = cross_entropy(network->forward(x), labels);
    optimizer->clear_grads();
    backward(loss);
    optimizer->step(clock);
    loss.device()->call(&Backend::finish_step, FinishStepArgs{.dtype = DType::f32,
                                                              .value = loss.data(),
                                                              .history = history.data<float>(),
                                                              .capacity = kSteps,
                                                              .step = clock.step().data<int64_t>()});
  }

  std::vector<std::vector<std::byte>> state() const {
    std::vector<std::vector<std::byte>> values = {to_host({{"history", history}})[0].bytes};
    for (const HostTensor& tensor : to_host(network->state())) values.push_back(tensor.bytes);
    return values;
  }

  std::shared_ptr<Sequential> network;
  Tensor bytes, labels, history;
  RowScale pixels;
  StepClock clock;
  std::optional<Sgd> optimizer;
};

}  // namespace

TEST_CASE("a captured step with convolutions, pools and batch norm replays bit-equal to the eager one") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    ImageTraining eager(device), replayed(device);
    eager.step();
    replayed.step();  // the first step makes the gradients' buffers and the constants
    Recording recording(*device, [&] { replayed.step(); });
    CHECK(replayed.state() == eager.state());
    for (int64_t t = 1; t < ImageTraining::kSteps; ++t) {
      const auto before = eager.state();
      eager.step();
      recording.replay();
      const auto after = eager.state();
      CHECK(replayed.state() == after);
      for (size_t i = 0; i < after.size(); ++i) CHECK(before[i] != after[i]);  // every tensor moved
    }
    CHECK(replayed.network->state()[6].tensor.item() == ImageTraining::kSteps);
  }
}

}  // namespace cairn::test
