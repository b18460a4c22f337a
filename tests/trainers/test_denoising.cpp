// Filters against noise: what they reach on a small set, that implementations and numbers of threads agree, the page of
// images.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/trainers/support.h"
#include "trainers/denoising.h"

namespace cairn::testing {
namespace {

Denoising make_denoising(const std::string& filter, const std::string& implementation, int threads = 2,
                         const std::string& recipe = "default") {
  DeviceOptions options;
  options.implementation = implementation;
  options.where = "cpu";
  options.threads = threads;
  const std::shared_ptr<Device> device = Device::open(options);
  const datasets::Dataset digits = load("digits", 300, 130);
  const DeviceData data{upload(device, digits.train), upload(device, digits.test), RowScale(device, 1.0f / 255, 0)};
  const ModelInfo& info = find_model(filter, Task::denoise);
  return Denoising(device, info, find_recipe(info, recipe), {}, data);
}

}  // namespace

TEST_CASE("denoising: a fixed filter is the one it claims to be") {
  Denoising mean = make_denoising("mean", "reference");
  const Tensor ones =
      Tensor::from_host<float>(mean.model().state()[0].tensor.device(), {1, 1, 3, 3}, std::vector<float>(9, 9.0f));
  const std::vector<float> filtered = mean.model().forward(ones).to_host<float>();
  CHECK(filtered[0] == doctest::Approx(4));  // four of nine pixels lie within the image
  CHECK(filtered[1] == doctest::Approx(6));
  CHECK(filtered[4] == doctest::Approx(9));

  Denoising gaussian = make_denoising("gaussian", "reference");
  std::vector<float> point(9, 0.0f);
  point[4] = 16;
  const std::vector<float> spread =
      gaussian.model()
          .forward(Tensor::from_host<float>(gaussian.model().state()[0].tensor.device(), {1, 1, 3, 3}, point))
          .to_host<float>();
  CHECK(spread[0] == doctest::Approx(1));  // [1, 2, 1] x [1, 2, 1], which is [0.5, 1, 0.5] x [0.5, 1, 0.5] over its sum
  CHECK(spread[1] == doctest::Approx(2));
  CHECK(spread[4] == doctest::Approx(4));
}

TEST_CASE("denoising: learning raises the ratio, and every implementation takes the same steps") {
  struct Case {
    const char *filter, *recipe;
  };
  const Case cases[] = {{"gaussian-learned", "playground"},
                        {"filter-5x5", "playground"},
                        {"filter-5x5", "default"},
                        {"deep-3", "default"}};
  for (const Case& each : cases) {
    const char *filter = each.filter, *recipe = each.recipe;
    CAPTURE(filter);
    CAPTURE(recipe);
    std::vector<double> expected;
    for (const std::string& implementation : kCpuImplementations) {
      CAPTURE(implementation);
      Denoising denoising = make_denoising(filter, implementation, 2, recipe);
      const SignalToNoise before = denoising.evaluate();
      std::vector<double> seen;
      for (int epoch = 0; epoch < 4; ++epoch) seen.push_back(denoising.run_epoch(kNever).train_loss);
      const SignalToNoise after = denoising.evaluate();
      CHECK(after.noisy == doctest::Approx(before.noisy).epsilon(1e-6));
      CHECK(after.denoised > before.denoised);
      CHECK(seen.back() < seen.front());
      seen.push_back(after.denoised);
      if (expected.empty()) expected = seen;
      for (size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == doctest::Approx(expected[i]).epsilon(1e-4));
    }
  }
}

TEST_CASE("denoising: the same bits on one thread and on two") {
  for (const char* implementation : {"simd", "vanilla"}) {
    CAPTURE(implementation);
    Denoising one = make_denoising("deep-3", implementation, 1), two = make_denoising("deep-3", implementation, 2);
    for (int epoch = 0; epoch < 2; ++epoch) CHECK(one.run_epoch(kNever).train_loss == two.run_epoch(kNever).train_loss);
    for (size_t i = 0; i < one.model().parameters().size(); ++i)
      CHECK(one.model().parameters()[i].tensor.to_host<float>() == two.model().parameters()[i].tensor.to_host<float>());
  }
}

TEST_CASE("denoising: the default shuffles and ends at rate 0, the published recipe does neither") {
  const ModelInfo& info = find_model("deep-3", Task::denoise);
  CHECK(info.recipes[0].name == "default");
  for (const Recipe& recipe : info.recipes) CHECK(recipe.shuffle == (recipe.name == "default"));
  const auto weights = [](Denoising& denoising) { return denoising.model().parameters()[0].tensor.to_host<float>(); };
  for (const char* recipe : {"default", "playground"}) {
    CAPTURE(recipe);
    Denoising denoising = make_denoising("deep-3", "simd", 2, recipe);
    for (int64_t epoch = 0; epoch < find_recipe(info, recipe).epochs; ++epoch) denoising.run_epoch(kNever);
    const std::vector<float> before = weights(denoising);
    denoising.run_epoch(kNever);
    CHECK((weights(denoising) == before) == (std::string(recipe) == "default"));
  }
}

TEST_CASE("denoising: the page holds clean, noisy and denoised images") {
  Denoising denoising = make_denoising("mean", "simd");
  const datasets::Picture page = denoising.draw(5);
  CHECK(page.channels == 1);
  CHECK(page.width == 5 * 32 + 4);
  CHECK(page.height == 3 * 32 + 4);
  CHECK(page.pixels.size() == static_cast<size_t>(page.width * page.height));
  CHECK(denoising.draw(1000).width == 128 * 32 + 4);  // no more than a batch
}

TEST_CASE("denoising: settings that make no sense are refused") {
  CHECK_THROWS_WITH_AS(find_model("median", Task::denoise),
                       doctest::Contains("unknown filter 'median': choose one of gaussian, mean, gaussian-learned"),
                       UsageError);
  CHECK_THROWS_WITH_AS(find_recipe(find_model("mean", Task::denoise), "best"),
                       "unknown recipe of filter mean 'best': choose one of default, playground", UsageError);
  DeviceOptions options;
  options.implementation = "reference";
  const std::shared_ptr<Device> device = Device::open(options);
  const datasets::Dataset digits = load("digits", 100, 10);
  const DeviceData data{upload(device, digits.train), upload(device, digits.test), {}};
  const ModelInfo& info = find_model("mean", Task::denoise);
  CHECK_THROWS_WITH_AS(Denoising(device, info, find_recipe(info, "playground"), {}, data),
                       "--batch-size must be between 1 and the 100 training images, not 128", UsageError);
}

}  // namespace cairn::testing
