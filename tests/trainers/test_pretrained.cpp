// Weights that others trained, where they are at hand: the logits that they are known to give. Not here: weights of our
// own (test_predictor.cpp).
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "framework/autograd.h"
#include "framework/row_scale.h"
#include "tests/trainers/support.h"
#include "trainers/weights.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

std::vector<float> read_floats(const fs::path& path, size_t count) {
  std::vector<float> values(count);
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
  return values;
}

}  // namespace

TEST_CASE("real data: published weights of ResNet-20 and -56 give their known logits") {
  const char* const data_dir = std::getenv("CAIRN_DATA");
  const fs::path folder = fs::path(data_dir ? data_dir : "") / "weights";
  if (data_dir == nullptr || !fs::exists(folder / "cifar10-resnet20.safetensors")) {
    MESSAGE("skipped: CAIRN_DATA is not set, or has no weights/cifar10-resnet20.safetensors");
    return;
  }
  constexpr int64_t kImages = 200, kKnown = 1000, kClasses = 10;
  const datasets::Dataset cifar = load("cifar10", 1, kImages);
  const std::span<const uint8_t> pixels = images(cifar.test);
  for (const std::string model : {"resnet20", "resnet56"}) {
    CAPTURE(model);
    const std::vector<float> known =
        read_floats(folder / ("golden_logits_cifar10-" + model + "_test1000.f32"), kKnown * kClasses);
    const Weights weights = find_weights({.path = folder / ("cifar10-" + model + ".safetensors"),
                                          .model = model,
                                          .recipe = "pretrained",
                                          .trained_on = "cifar10"});
    for (const char* implementation : {"simd", "eigen"}) {
      CAPTURE(implementation);
      const std::shared_ptr<Device> device = open(implementation);
      const std::shared_ptr<Module> network = load_model(device, weights);
      network->eval();
      const NoGrad no_grad;
      const Tensor bytes = Tensor::from_host<uint8_t>(device, {kImages, 3, 32, 32}, {pixels.begin(), pixels.end()});
      const RowScale scale(device, weights.pixels.scale, weights.pixels.shift);
      const std::vector<float> logits = network->forward(Tensor::byte_rows(bytes, {}, scale)).to_host<float>();
      REQUIRE(logits.size() == kImages * kClasses);
      float worst = 0;
      for (size_t i = 0; i < logits.size(); ++i) worst = std::max(worst, std::fabs(logits[i] - known[i]));
      CHECK(worst <= 1e-4f);
      CHECK(worst > 0);  // they were computed by another program
    }
  }
}

}  // namespace cairn::testing
