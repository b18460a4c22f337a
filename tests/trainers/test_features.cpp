// A frozen backbone: features made once train the head as the whole network would, and nothing else changes.
#include <doctest/doctest.h>

#include <cmath>

#include "datasets/held_folder.h"
#include "framework/autograd.h"
#include "models/transfer.h"
#include "tests/trainers/support.h"
#include "trainers/features.h"

namespace cairn::testing {
namespace {

// Noise of three classes, one brighter than the other, 32 x 32: a residual network takes images of any size.
datasets::Dataset noise(int64_t count) {
  datasets::Dataset dataset;
  dataset.name = "noise";
  dataset.classes = 3;
  dataset.mean = dataset.std = {0.5f, 0.5f, 0.5f};
  datasets::Bytes pixels;
  std::vector<int32_t> labels;
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<int32_t>(i % 3));
    for (int pixel = 0; pixel < 3 * 32 * 32; ++pixel) {
      state = state * 1664525u + 1013904223u;
      pixels.push_back(static_cast<uint8_t>(60 * (i % 3) + (state >> 25)));
    }
  }
  dataset.train = datasets::image_split({3, 32, 32}, pixels, labels);
  dataset.test = datasets::image_split({3, 32, 32}, pixels, labels);
  return dataset;
}

const ModelInfo& info() {
  return find_model("transfer-resnet18:3");
}

DeviceData data_on(const std::shared_ptr<Device>& device, const datasets::Dataset& dataset) {
  const PixelScale pixels = pixel_scale(info().recipes.front(), {dataset.mean, dataset.std});
  return {upload(device, dataset.train), upload(device, dataset.test), RowScale(device, pixels.scale, pixels.shift)};
}

RunConfig config_of(Freeze freeze) {
  RunConfig config = config_for(info().name, "default", "simd");
  config.training.freeze = freeze;
  config.training.batch_size = 7;
  config.training.learning_rate = 0.01;
  config.training.epochs = 3;
  return config;
}

std::vector<float> values(Module& network, const std::string& name) {
  for (const NamedTensor& each : network.state())
    if (each.name == name) return each.tensor.to_host<float>();
  return {};
}

}  // namespace

TEST_CASE("features are what the network makes of images ahead of its head") {
  const std::shared_ptr<Device> device = open("simd");
  const DeviceData data = data_on(device, noise(10));
  Initializer initializer(InitRule{}, 1);
  const std::shared_ptr<Module> network = info().build(device, initializer, DType::f32);
  const SampleInput input(data.pixels, {});
  const Features made = FeatureMaker(device, info(), *network).of(data.train, input, 4, kNever);
  CHECK(made.rows.shape() == Shape{10, 512});
  CHECK(made.seconds > 0);

  const SplitNetwork parts = split_network(*network, info());
  network->eval();
  const NoGrad no_grad;
  const std::vector<float> expected = parts.backbone->forward(input.plain(data.train.samples(0, 10))).to_host<float>();
  const std::vector<float> rows = made.rows.to_host<float>();
  double worst = 0, largest = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    worst = std::max(worst, std::abs(double{rows[i]} - double{expected[i]}));
    largest = std::max(largest, std::abs(double{expected[i]}));
  }
  CHECK(largest > 0.01);
  CHECK(worst < 1e-4 * largest);

  const std::atomic<bool> stop{true};
  CHECK_THROWS_AS(FeatureMaker(device, info(), *network).of(data.train, input, 4, stop), datasets::InterruptedError);
}

TEST_CASE("a head is trained on features as it is behind its backbone, which stays as it is") {
  const std::shared_ptr<Device> device = open("simd");
  const datasets::Dataset dataset = noise(20);
  const RunConfig config = config_of(Freeze::backbone);
  Trainer whole(device, info(), config, data_on(device, dataset)),
      head(device, info(), config, data_on(device, dataset));
  const std::vector<std::string> still = {"conv1.weight", "bn1.running_mean", "layer4.1.bn2.running_var"};
  std::vector<std::vector<float>> before;
  for (const std::string& name : still) before.push_back(values(head.model(), name));
  const std::vector<float> drawn = values(head.model(), "fc.0.weight");
  const Evaluation plain = head.evaluate();

  CHECK(head.compute_features(kNever).has_value());
  CHECK_FALSE(head.compute_features(kNever).has_value());  // once
  CHECK(head.evaluate().loss == doctest::Approx(plain.loss).epsilon(1e-4));
  for (int epoch = 0; epoch < 3; ++epoch) {
    const EpochResult by_features = head.run_epoch({}, kNever), by_images = whole.run_epoch({}, kNever);
    CHECK(by_features.train_loss == doctest::Approx(by_images.train_loss).epsilon(1e-3));
  }
  CHECK(head.evaluate().loss < 0.9 * plain.loss);
  for (size_t i = 0; i < still.size(); ++i) {
    CHECK(values(head.model(), still[i]) == before[i]);
    CHECK(values(whole.model(), still[i]) == before[i]);
  }
  CHECK(values(head.model(), "fc.0.weight") != drawn);
}

TEST_CASE("with frozen weights alone the running statistics go on, and without freezing everything is trained") {
  const std::shared_ptr<Device> device = open("simd");
  const datasets::Dataset dataset = noise(14);
  for (const Freeze freeze : {Freeze::weights, Freeze::nothing}) {
    CAPTURE(name_of(freeze));
    Trainer trainer(device, info(), config_of(freeze), data_on(device, dataset));
    const std::vector<float> weight = values(trainer.model(), "conv1.weight"),
                             mean = values(trainer.model(), "bn1.running_mean");
    CHECK_FALSE(trainer.compute_features(kNever).has_value());
    trainer.run_epoch({}, kNever);
    CHECK((values(trainer.model(), "conv1.weight") == weight) == (freeze == Freeze::weights));
    CHECK(values(trainer.model(), "bn1.running_mean") != mean);
  }
}

}  // namespace cairn::testing
