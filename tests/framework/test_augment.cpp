// Augmented pictures: the same on every implementation, in whatever batch, drawn anew in each epoch and as often as
// they should be; what does not fit is refused. Not here: the arithmetic, option by option
// (tests/kernels/test_augment.cpp).
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "framework/ops/augment.h"
#include "framework/ops/elementwise.h"
#include "framework/row_scale.h"
#include "tests/framework/op_cases.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

constexpr int64_t kCount = 12, kStepsPerEpoch = 3;

Tensor pictures(const std::shared_ptr<Device>& device, int64_t count = kCount, int64_t side = 6) {
  const Shape shape{count, 3, side, side};
  return Tensor::from_host<uint8_t>(device, shape, byte_data(device, count, 3 * side * side).to_host<uint8_t>());
}

RowScale scale_of(const std::shared_ptr<Device>& device) {
  return {device, std::vector<float>{1.0f / 255, 2.0f / 255, 0.5f / 255}, std::vector<float>{0, -0.5f, 0.25f}};
}

Tensor step_of(const std::shared_ptr<Device>& device, int64_t step) {
  return Tensor::from_host<int64_t>(device, {}, std::vector<int64_t>{step});
}

const Augmentation kAll{.crop_height = 5,
                        .crop_width = 4,
                        .pad = 1,
                        .flip = true,
                        .brightness = 30,
                        .contrast_low = 0.5f,
                        .contrast_high = 1.5f};

std::vector<double> augmented(const std::shared_ptr<Device>& device, const std::vector<int32_t>& index,
                              const Augmentation& augmentation, int64_t step, uint64_t seed = 1) {
  const Tensor x = Tensor::byte_rows(pictures(device), labels_of(device, index), scale_of(device));
  return values_of(augment_images(x, augmentation, true, seed, step_of(device, step), kStepsPerEpoch));
}

std::vector<double> part(const std::vector<double>& values, int64_t row, int64_t size) {
  return {values.begin() + row * size, values.begin() + (row + 1) * size};
}

}  // namespace

TEST_CASE("augmented pictures are the same on every implementation") {
  Augmentation standardised = kAll;
  standardised.standardise = true;
  for (const Augmentation& augmentation : {kAll, standardised, Augmentation{.pad = 2, .flip = true}}) {
    const std::vector<double> expected = augmented(reference(), {3, 0, 11, 3}, augmentation, 4);
    for (const auto& device : devices()) {
      CAPTURE(device->label());
      CHECK(relative_error(augmented(device, {3, 0, 11, 3}, augmentation, 4), expected) <= 1e-5);
    }
  }
}

TEST_CASE("a picture is drawn by its number and the epoch, not by its place in a batch") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    constexpr int64_t kSize = 3 * 5 * 4;
    const std::vector<double> first = augmented(device, {3, 0, 11, 3}, kAll, 4);
    CHECK(part(first, 0, kSize) == part(first, 3, kSize));
    const std::vector<double> second = augmented(device, {11, 3}, kAll, 5);  // another step of the same epoch
    CHECK(part(second, 0, kSize) == part(first, 2, kSize));
    CHECK(part(second, 1, kSize) == part(first, 0, kSize));
    CHECK(augmented(device, {3, 0, 11, 3}, kAll, 6) != first);     // the next epoch
    CHECK(augmented(device, {3, 0, 11, 3}, kAll, 4, 2) != first);  // another seed
    // A batch that is no part of the resident set brings its numbers along.
    const Tensor batch = Tensor::from_host<uint8_t>(device, {2, 3, 6, 6}, [&] {
      const std::vector<uint8_t> all = pictures(device).to_host<uint8_t>();
      std::vector<uint8_t> some(all.begin() + 11 * 108, all.end());
      some.insert(some.end(), all.begin() + 3 * 108, all.begin() + 4 * 108);
      return some;
    }());
    const Tensor x = Tensor::byte_rows(batch, {}, scale_of(device));
    CHECK(values_of(augment_images(x, kAll, true, 1, step_of(device, 3), kStepsPerEpoch, labels_of(device, {11, 3}))) ==
          second);
  }
}

TEST_CASE("without chance a picture's centre is taken as it is") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor x = Tensor::byte_rows(pictures(device), labels_of(device, {5, 2}), scale_of(device));
    const Tensor y = augment_images(x, kAll, false, 1, {}, 0);
    CHECK(y.shape() == Shape{2, 3, 5, 4});
    const std::vector<double> all =
        values_of(Tensor::byte_rows(pictures(device), labels_of(device, {5, 2}), scale_of(device)));
    std::vector<double> expected;
    for (int64_t plane = 0; plane < 6; ++plane)
      for (int64_t row = 0; row < 5; ++row)  // (6 + 2 - 5) / 2 - 1 = 0
        for (int64_t column = 1; column < 5; ++column)
          expected.push_back(all[static_cast<size_t>(plane * 36 + row * 6 + column)]);
    CHECK(relative_error(values_of(y), expected) <= 1e-6);
    CHECK(values_of(augment_images(x, {}, true, 1, step_of(device, 0), 1)) ==
          values_of(augment_images(x, {}, false, 1, {}, 0)));
  }
}

// Where a single bright pixel in the middle of 3 x 3, padded by 2 and cut to 3 x 3, ends up: each of 25 places equally
// often, mirrored or not.
TEST_CASE("places and mirrors are drawn as often as they should be") {
  constexpr int64_t kPictures = 5000;
  std::vector<uint8_t> pixels(kPictures * 9);
  for (size_t i = 0; i < kPictures; ++i) pixels[9 * i + 4] = 1, pixels[9 * i + 5] = 2;  // the 2 is right of the 1
  const Tensor x = Tensor::byte_rows(Tensor::from_host<uint8_t>(reference(), {kPictures, 1, 3, 3}, pixels), {},
                                     RowScale(reference(), 1, 0));
  const std::vector<double> out =
      values_of(augment_images(x, {.pad = 2, .flip = true}, true, 7, step_of(reference(), 0), 1));
  std::map<int64_t, int64_t> places;
  int64_t mirrored = 0, told = 0;
  for (int64_t i = 0; i < kPictures; ++i) {
    const std::vector<double> picture = part(out, i, 9);
    const auto one = std::find(picture.begin(), picture.end(), 1) - picture.begin();
    const auto two = std::find(picture.begin(), picture.end(), 2) - picture.begin();
    ++places[one];
    if (one == 9 || two == 9) continue;
    ++told;
    mirrored += two == one - 1;
  }
  // 25 windows, 9 of which show the pixel, each at another place; 16 do not.
  CHECK(places.size() == 10);
  const double expected = kPictures / 25.0;
  for (const auto& [place, count] : places) {
    const double mean = place == 9 ? 16 * expected : expected;
    CHECK(std::abs(static_cast<double>(count) - mean) < 5 * std::sqrt(mean));
  }
  CHECK(std::abs(static_cast<double>(mirrored) - 0.5 * static_cast<double>(told)) <
        2.5 * std::sqrt(static_cast<double>(told)));
}

TEST_CASE("augmentation replays in a recorded step, each epoch's draws anew") {
  static_assert(sizeof(AugmentImagesArgs) > 160);  // what a recorded call once had room for
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor bytes = pictures(device), index = labels_of(device, {3, 0, 11, 3});
    const RowScale scales = scale_of(device);
    Tensor step = step_of(device, 0), y;
    Recording recording(*device, [&] {
      y = augment_images(Tensor::byte_rows(bytes, index, scales), kAll, true, 1, step, kStepsPerEpoch);
      y = scale(y, 1);
    });
    for (int64_t t : {0, 2, 3, 8}) {
      step.set(std::span<const int64_t>(&t, 1));
      recording.replay();
      CHECK(values_of(y) == augmented(device, {3, 0, 11, 3}, kAll, t));
    }
  }
}

TEST_CASE("augment_images refuses what does not fit") {
  const auto device = reference();
  const Tensor x = Tensor::byte_rows(pictures(device), {}, scale_of(device)), step = step_of(device, 0);
  const auto text = [&](const Augmentation& augmentation) {
    return refusal([&] { augment_images(x, augmentation, true, 1, step, 1); });
  };
  CHECK(text({.crop_height = 7, .crop_width = 6}) ==
        "augment_images: a crop must fit into the padded picture; got a crop of 7 x 6 for pictures of 6 x 6, not "
        "padded");
  CHECK(text({.crop_height = 8, .crop_width = 11, .pad = 2}) ==
        "augment_images: a crop must fit into the padded picture; got a crop of 8 x 11 for pictures of 6 x 6, padded "
        "to 10 x 10");
  CHECK(text({.crop_height = -1}) == "augment_images: a crop cannot be negative; got -1 x 6");
  CHECK(text({.pad = -1}) == "augment_images: padding must be between 0 and 536870911; got -1");
  CHECK(text({.brightness = -1}) == "augment_images: brightness must be 0 or more; got -1.000000");
  CHECK(text({.brightness = INFINITY}) == "augment_images: brightness must be 0 or more; got inf");
  CHECK(text({.contrast_low = 1.5f}) ==
        "augment_images: contrast must lie between two numbers from 0 on, the lower first; got 1.500000 and 1.000000");
  CHECK(text({.contrast_low = NAN}) ==
        "augment_images: contrast must lie between two numbers from 0 on, the lower first; got nan and 1.000000");
  const auto rows_text = [&](const Tensor& rows) {
    return refusal([&] { augment_images(rows, {}, true, 1, step, 1); });
  };
  CHECK(rows_text(Tensor()) == "augment_images: x must be a tensor; got none");
  CHECK(rows_text(Tensor::byte_rows(byte_data(device, 2, 9), {}, RowScale(device, 1, 0))) ==
        "augment_images: x must have the layout N x C x H x W; got f32[2, 9] on reference on cpu");
  const std::string rule =
      "augment_images: x must be rows of a byte data set that nobody has gathered or reshaped; got ";
  CHECK(rows_text(Tensor::zeros(device, {2, 3, 4, 4})) == rule + "f32[2, 3, 4, 4] on reference on cpu");
  CHECK(rows_text(reshape(x, {kCount, 1, 18, 6})) == rule + "f32[12, 1, 18, 6] on reference on cpu");
  CHECK(refusal([&] { augment_images(x, {}, true, 1, labels_of(device, {0}), 1); }) ==
        "augment_images: step must be one i64 on the device of x; got i32[1] on reference on cpu");
  CHECK(refusal([&] { augment_images(x, {}, true, 1, Tensor(), 1); }) ==
        "augment_images: step must be a tensor; got none");
  CHECK(refusal([&] { augment_images(x, {}, true, 1, step, 0); }) ==
        "augment_images: an epoch must have at least one step; got 0");
  CHECK(refusal([&] { augment_images(x, {}, true, 1, step, 1, labels_of(device, {1})); }) ==
        "augment_images: number must be i32 with one value per picture; got i32[1] on reference on cpu for "
        "f32[12, 3, 6, 6] on reference on cpu");
  CHECK(augmented_shape({3, 32, 32}, {.crop_height = 24, .crop_width = 28}) == Shape{3, 24, 28});
  CHECK(refusal([] {
          augmented_shape({32, 32}, {});
        }) == "augment_images: a picture must have the layout C x H x W; got [32, 32]");
}

}  // namespace cairn::test
