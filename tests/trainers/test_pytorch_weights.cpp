// Weights both ways: every model's file loads in PyTorch, and a state_dict that PyTorch saved loads here, as
// safetensors and as a .pth, to the bit and with the same logits. The networks on PyTorch's side are those of
// comparisons/references. Not here: the file format itself (tests/framework/test_safetensors.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/autograd.h"
#include "framework/nn/image_layers.h"
#include "framework/safetensors.h"
#include "tests/python.h"
#include "tests/trainers/support.h"
#include "trainers/run_folder.h"
#include "trainers/weights.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBatchNorm = "batch-norm";  // no model has one yet

std::shared_ptr<Module> batch_norm_network(const std::shared_ptr<Device>& device, Initializer& initializer) {
  return std::make_shared<Sequential>(std::vector<std::pair<std::string, std::shared_ptr<Module>>>{
      {"conv1",
       std::make_shared<Conv2d>(device, 1, 8, 3, initializer, Conv2dLayerOptions{.padding = 1, .bias = false})},
      {"bn1", std::make_shared<BatchNorm2d>(device, 8)},
      {"relu1", std::make_shared<ReLU>()},
      {"pool1", std::make_shared<MaxPool2d>(2)},
      {"flatten", std::make_shared<Flatten>()},
      {"fc1", std::make_shared<Linear>(device, 8 * 14 * 14, 10, initializer)}});
}

// The bytes of a network's tensors, one after the other in state_dict's order.
std::vector<std::byte> state_bytes(const Module& model) {
  std::vector<std::byte> bytes;
  for (const HostTensor& tensor : to_host(model.state()))
    bytes.insert(bytes.end(), tensor.bytes.begin(), tensor.bytes.end());
  return bytes;
}

std::vector<std::byte> bytes_of(const fs::path& path) {
  const InputFile file(path);
  std::vector<std::byte> bytes(file.size());
  file.read(0, bytes);
  return bytes;
}

// The largest difference of two files of logits from a network's own, of which the largest counts as 1 at least.
double deviation(Module& model, const Tensor& images, const fs::path& path) {
  NoGrad no_grad;
  model.eval();
  const std::vector<float> ours = model.forward(images).to_host<float>();
  const std::vector<HostTensor> theirs = read_safetensors(path);
  REQUIRE(theirs.size() == 1);
  REQUIRE(theirs[0].bytes.size() == ours.size() * sizeof(float));
  std::vector<float> values(ours.size());
  std::ranges::copy(theirs[0].bytes, std::as_writable_bytes(std::span(values)).begin());
  double largest = 1, worst = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(values[i])));
    const double difference = std::abs(static_cast<double>(ours[i]) - values[i]);
    if (!(difference <= worst)) worst = difference;  // a nan stays
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("Python's PyTorch loads every model's weights, saves its own, and both compute the same logits") {
  if (!has_python_with("torch, safetensors.torch, numpy")) return;
  constexpr int64_t kImages = 8;
  const TemporaryFolder folder;
  DeviceOptions options;
  options.implementation = "simd";
  options.threads = 2;
  const std::shared_ptr<Device> device = Device::open(options);
  const datasets::Dataset digits = load("digits", kImages, kImages);
  // kImages of that shape, or texts of that length, out of the digits' pixels.
  const auto draw = [&](const Shape& shape) {
    const std::span<const uint8_t> bytes = images(digits.test);
    if (shape.rank() == 1) {
      std::vector<int32_t> words(static_cast<size_t>(kImages * shape.count()));
      for (size_t i = 0; i < words.size(); ++i) words[i] = bytes[i % bytes.size()];
      return Tensor::from_host<int32_t>(device, {kImages, shape[0]}, words);
    }
    std::vector<float> pixels(static_cast<size_t>(kImages * shape.count()));
    for (size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = (static_cast<float>(bytes[i % bytes.size()]) / 255 - 0.13f) / 0.31f;
    return Tensor::from_host<float>(device, {kImages, shape[0], shape[1], shape[2]}, pixels);
  };

  struct Network {
    std::string name;
    std::shared_ptr<Module> model;
    Tensor images;
  };
  std::vector<Network> ours;
  Initializer initializer(InitRule{}, 5);
  for (const ModelInfo& info : known_models())
    if (!takes_photos(info)) ours.push_back({info.name, info.build(device, initializer, DType::f32), draw(info.input)});
  ours.push_back({kBatchNorm, batch_norm_network(device, initializer), draw({1, 28, 28})});
  ours.back().model->forward(ours.back().images);  // in training: the statistics are no longer those at the start

  std::string names;
  for (const auto& [name, model, images] : ours) {
    RunConfig config;
    config.model = name;
    if (name != kBatchNorm) config.training = find_model(name).recipes.front();
    config.dataset = "digits";
    config.out = (folder.path / name).string();
    const RunFolder run = RunFolder::create(config.out, config);
    run.write_config(to_json(config));
    run.save_model(*model);
    write_safetensors(run.path() / "images.safetensors", to_host({{"images", images}}));
    names += " " + name;
  }
  REQUIRE(run_python(fs::path(CAIRN_SOURCE_DIR) / "tests/trainers" / "pytorch_networks.py", names, folder.path));

  double worst = 0;
  for (const auto& each : ours) {
    const auto& [name, model, images] = each;
    CAPTURE(name);
    const fs::path run = folder.path / name;
    CHECK(bytes_of(run / "loaded.bytes") == state_bytes(*model));
    worst = std::max(worst, deviation(*model, images, run / "loaded_logits.safetensors"));

    std::shared_ptr<Module> theirs;
    if (name == kBatchNorm) {
      theirs = batch_norm_network(device, initializer);
      load_tensors(theirs->state(), read_safetensors(run / "pytorch.safetensors"), name);
    } else {  // as `predict --weights FILE` does
      theirs = load_model(device, find_weights({(run / "pytorch.safetensors").string(), name, "", ""}));
    }
    CHECK(bytes_of(run / "pytorch.bytes") == state_bytes(*theirs));
    if (name != kBatchNorm)
      CHECK(state_bytes(*load_model(device, find_weights({(run / "pytorch.pth").string(), name, "", ""}))) ==
            state_bytes(*theirs));
    CHECK(state_bytes(*theirs) != state_bytes(*model));
    worst = std::max(worst, deviation(*theirs, images, run / "pytorch_logits.safetensors"));
    CHECK(worst < 1e-5);
  }
  MESSAGE(ours.size(), " networks, both ways to the bit; logits differ by at most ", worst);
}

}  // namespace cairn::testing
