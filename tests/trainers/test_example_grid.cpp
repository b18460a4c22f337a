// The page of a data set's images: as they are stored, and as a training's first epoch sees them.
#include <doctest/doctest.h>

#include <cmath>

#include "datasets/image_grid.h"
#include "framework/ops/augment.h"
#include "tests/trainers/support.h"
#include "trainers/example_grid.h"

namespace cairn::testing {
namespace {

const AugmentationRecipe kAll{
    .crop = 28, .pad = 3, .flip = true, .brightness = 40, .contrast = 0.4, .standardise = false};

// All training images by the reference's augment_images, as the first step of a run gets them, in bytes.
std::vector<uint8_t> by_reference(const datasets::Split& train, const AugmentationRecipe& augmentation, uint64_t seed) {
  const std::shared_ptr<Device> device = open("reference");
  const Shape image = image_shape(train);
  const Tensor all =
      Tensor::from_host<uint8_t>(device, {train.count, image[0], image[1], image[2]}, datasets::images(train));
  const Tensor seen = augment_images(Tensor::byte_rows(all, {}, RowScale(device, 1, 0)), augmentation.settings(), true,
                                     seed, Tensor::zeros(device, {}, DType::i64), 7);
  std::vector<uint8_t> bytes;
  for (const float value : seen.to_host<float>()) {
    const double byte = augmentation.standardise ? 128 + 64.0 * value : value;
    bytes.push_back(static_cast<uint8_t>(byte <= 0 ? 0 : byte >= 255 ? 255 : std::floor(byte + 0.5)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("the pixels shown are those of augment_images, by the image's number, on every implementation") {
  const datasets::Dataset data = load("digits32", 60, 10);
  const std::vector<int32_t> rows = {41, 0, 59, 7};
  AugmentationRecipe standardised = kAll;
  standardised.standardise = true;
  for (const AugmentationRecipe& augmentation : {kAll, standardised}) {
    const std::vector<uint8_t> all = by_reference(data.train, augmentation, 5);
    const size_t size = 3 * 28 * 28;
    for (const std::string& implementation : kCpuImplementations) {
      CAPTURE(implementation);
      const datasets::Bytes seen = seen_pixels(open(implementation), data.train, rows, augmentation, 5);
      REQUIRE(seen.size() == rows.size() * size);
      // Where a value lies between two bytes, another order of rounding may take the other one.
      int64_t others = 0;
      for (size_t i = 0; i < seen.size(); ++i) {
        const int difference = seen[i] - all[static_cast<size_t>(rows[i / size]) * size + i % size];
        CHECK(std::abs(difference) <= 1);
        others += difference != 0;
      }
      CHECK(others <= (implementation == "reference" ? 0 : 4));
    }
  }
}

TEST_CASE("without augmentation the page holds the bytes as they are stored") {
  const datasets::Dataset data = load("digits32", 60, 10);
  const std::vector<int32_t> rows = {59, 2};
  const datasets::Bytes seen = seen_pixels(open("reference"), data.train, rows, {}, 1);
  const std::span<const uint8_t> stored = datasets::images(data.train);
  const size_t size = 3 * 32 * 32;
  CHECK(std::ranges::equal(std::span(seen).first(size), stored.subspan(59 * size, size)));
  CHECK(std::ranges::equal(std::span(seen).last(size), stored.subspan(2 * size, size)));
  CHECK(draw_examples(data, {}, 1).pixels == draw_examples(data, {}, 2).pixels);
}

TEST_CASE("a page of what does not fit is refused") {
  const datasets::Dataset data = load("digits32", 60, 10);
  CHECK_THROWS_WITH_AS(draw_examples(data, {.crop = 40}, 1),
                       "--crop 40: no window of 40x40 lies in the images of digits32, [3, 32, 32], with --pad 0",
                       UsageError);
  CHECK_THROWS_WITH_AS(draw_examples(data, {.pad = 4}, 1), doctest::Contains("--pad goes with --crop"), UsageError);
}

}  // namespace cairn::testing
