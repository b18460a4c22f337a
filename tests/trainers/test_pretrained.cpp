// Weights that others trained, where they are at hand: the logits that they are known to give. Not here: weights of our
// own (test_predictor.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "datasets/archive.h"
#include "datasets/color_image.h"
#include "datasets/file.h"
#include "framework/autograd.h"
#include "framework/row_scale.h"
#include "tests/sweep.h"
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

namespace {

// In the order of the known logits.
constexpr const char* kPhotos[] = {"bridge",   "cat_snow",    "coyote", "flamingo", "torch",
                                   "labrador", "chelsea_cat", "coffee", "rocket"};
constexpr int64_t kPhotoClasses = 1000;

// The photos' middles, 224 x 224, as bytes: cut by Pillow, or from the original photos.
datasets::Bytes read_photos(const fs::path& folder, size_t count, bool originals) {
  datasets::Bytes all;
  for (size_t i = 0; i < count; ++i) {
    fs::path path = originals ? folder / kPhotos[i] : folder / "crop224" / kPhotos[i];
    path += originals && fs::exists(path.string() + ".jpg") ? ".jpg" : ".png";
    const datasets::Bytes pixels =
        datasets::prepare_color(datasets::read_picture(path), {3, 224, 224}, originals ? 256 : 0);
    all.insert(all.end(), pixels.begin(), pixels.end());
  }
  return all;
}

std::vector<float> logits_of(const std::string& implementation, const Weights& weights, const datasets::Bytes& pixels,
                             bool fold) {
  const std::shared_ptr<Device> device = open(implementation);
  const std::shared_ptr<Module> network = load_model(device, weights);
  network->eval();
  if (fold) network->fold();
  const NoGrad no_grad;
  const auto count = static_cast<int64_t>(pixels.size() / (3 * 224 * 224));
  const Tensor bytes = Tensor::from_host<uint8_t>(device, {count, 3, 224, 224}, {pixels.begin(), pixels.end()});
  const RowScale scale(device, weights.pixels.scale, weights.pixels.shift);
  return network->forward(Tensor::byte_rows(bytes, {}, scale)).to_host<float>();
}

}  // namespace

TEST_CASE("real data: published weights of ResNet-18 and -50 give their known logits of nine photos") {
  const char* const data_dir = std::getenv("CAIRN_DATA");
  const fs::path data(data_dir ? data_dir : "");
  if (data_dir == nullptr || !fs::exists(data / "weights/resnet18-ktb-small.safetensors.xz")) {
    MESSAGE("skipped: CAIRN_DATA is not set, or has no weights/resnet18-ktb-small.safetensors.xz");
    return;
  }
  const TemporaryFolder folder;
  fs::create_directories(folder.path);
  for (const auto& [model, name] :
       {std::pair<std::string, std::string>{"resnet18", "resnet18-ktb-small"}, {"resnet50", "resnet50-ktb-large"}}) {
    CAPTURE(model);
    const std::string file = name + ".safetensors";
    const datasets::Bytes packed = datasets::read_file(data / "weights" / (file + ".xz"));
    const datasets::Bytes content = datasets::decompress(packed, 200 << 20, file);
    std::ofstream(folder.path / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    const Weights weights = find_weights({.path = folder.path / file, .model = model, .trained_on = "imagenet"});
    const std::vector<float> known =
        read_floats(data / "images" / ("golden_logits_" + name + ".f32"), std::size(kPhotos) * 1000);
    const fs::path images = data / "images";
    for (const std::string implementation : {"simd", "eigen", "vanilla", "reference"})
      for (const bool fold : {false, true}) {
        const bool fast = implementation == "simd" || implementation == "eigen";
        if (small_sweep() && !fast && (model == "resnet50" || fold)) continue;
        const int64_t count = fast ? 9 : small_sweep() || implementation == "reference" ? 1 : 3;
        CAPTURE(implementation);
        CAPTURE(fold);
        // Decoding, scaling and cutting are the same for all.
        const datasets::Bytes pixels = read_photos(images, static_cast<size_t>(count), implementation == "eigen");
        const std::vector<float> logits = logits_of(implementation, weights, pixels, fold);
        REQUIRE(logits.size() == static_cast<size_t>(count * kPhotoClasses));
        float worst = 0;
        for (size_t i = 0; i < logits.size(); ++i) worst = std::max(worst, std::fabs(logits[i] - known[i]));
        MESSAGE(model << ", " << implementation << (fold ? ", folded: " : ": ") << worst);
        CHECK(worst <= 1e-3f);
        CHECK(worst > 0);  // they were computed by another program
        for (int64_t i = 0; i < count; ++i) {
          const auto best = [i](const std::vector<float>& all) {
            const auto begin = all.begin() + i * kPhotoClasses;
            return std::max_element(begin, begin + kPhotoClasses) - begin;
          };
          CHECK(best(logits) == best(known));
        }
      }
  }
}

}  // namespace cairn::testing
