#include "framework/ops/augment.h"

#include <cmath>
#include <limits>

#include "framework/ops/check.h"
#include "framework/ops/window.h"
#include "framework/random.h"
#include "framework/row_scale.h"

namespace cairn {
namespace {

constexpr const char* kOp = "augment_images";

void check_values(const Augmentation& augmentation) {
  const float low = augmentation.contrast_low, high = augmentation.contrast_high;
  if (!(augmentation.brightness >= 0) || !std::isfinite(augmentation.brightness))
    check::fail(kOp, "brightness must be 0 or more", std::to_string(augmentation.brightness));
  if (!(low >= 0 && low <= high) || !std::isfinite(high))
    check::fail(kOp, "contrast must lie between two numbers from 0 on, the lower first",
                std::to_string(low) + " and " + std::to_string(high));
}

void check_rows(const Tensor& x, const PendingBytes* rows) {
  check::rank(kOp, "x", x, 4, "N x C x H x W");
  if (!rows ||
      x.shape() != Shape{rows->rows.rows, rows->bytes.shape()[1], rows->bytes.shape()[2], rows->bytes.shape()[3]})
    check::fail(kOp, "x must be rows of a byte data set that nobody has gathered or reshaped", check::describe(x));
}

void check_draws(const Tensor& x, const Tensor& step, int64_t steps_per_epoch, const Tensor& number) {
  check::defined(kOp, "step", step);
  if (step.dtype() != DType::i64 || step.count() != 1 || step.device() != x.device())
    check::fail(kOp, "step must be one i64 on the device of x", check::describe(step));
  if (steps_per_epoch < 1) check::fail(kOp, "an epoch must have at least one step", std::to_string(steps_per_epoch));
  if (number.defined() &&
      (number.dtype() != DType::i32 || number.shape() != Shape{x.shape()[0]} || number.device() != x.device()))
    check::fail(kOp, "number must be i32 with one value per picture",
                check::describe(number) + " for " + check::describe(x));
}

}  // namespace

Shape augmented_shape(const Shape& picture, const Augmentation& augmentation) {
  if (picture.rank() != 3) check::fail(kOp, "a picture must have the layout C x H x W", picture.text());
  const int64_t height = augmentation.crop_height ? augmentation.crop_height : picture[1];
  const int64_t width = augmentation.crop_width ? augmentation.crop_width : picture[2];
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (augmentation.pad < 0 || augmentation.pad > kMost / 4)
    check::fail(kOp, "padding must be between 0 and " + std::to_string(kMost / 4), std::to_string(augmentation.pad));
  if (height < 0 || width < 0) check::fail(kOp, "a crop cannot be negative", check::times(height, width));
  const int64_t padded_height = picture[1] + 2 * augmentation.pad, padded_width = picture[2] + 2 * augmentation.pad;
  if (height > padded_height || width > padded_width)
    check::fail(kOp, "a crop must fit into the padded picture",
                "a crop of " + check::times(height, width) + " for pictures of " +
                    check::times(picture[1], picture[2]) +
                    (augmentation.pad ? ", padded to " + check::times(padded_height, padded_width) : ", not padded"));
  check_values(augmentation);
  return {picture[0], height, width};
}

Tensor augment_images(const Tensor& x, const Augmentation& augmentation, bool random, uint64_t seed, const Tensor& step,
                      int64_t steps_per_epoch, const Tensor& number) {
  check::floating(kOp, "x", x);
  const PendingBytes* rows = x.pending_rows();
  check_rows(x, rows);
  const Shape out = augmented_shape({x.shape()[1], x.shape()[2], x.shape()[3]}, augmentation);
  if (random) check_draws(x, step, steps_per_epoch, number);
  Tensor y = Tensor::empty(x.device(), {x.shape()[0], out[0], out[1], out[2]}, x.dtype(), kOp);
  x.device()->call(&Backend::augment_images,
                   AugmentImagesArgs{.dtype = x.dtype(),
                                     .rows = x.shape()[0],
                                     .channels = out[0],
                                     .in_height = x.shape()[2],
                                     .in_width = x.shape()[3],
                                     .out_height = out[1],
                                     .out_width = out[2],
                                     .images = rows->rows.bytes,
                                     .index = rows->rows.index,
                                     .number = random && number.defined() ? number.data<int32_t>() : nullptr,
                                     .scale = rows->scale.device_scale(),
                                     .shift = rows->scale.device_shift(),
                                     .scale_count = rows->scale.channels(),
                                     .pad = augmentation.pad,
                                     .random = random,
                                     .flip = augmentation.flip,
                                     .brightness = augmentation.brightness,
                                     .contrast_low = augmentation.contrast_low,
                                     .contrast_high = augmentation.contrast_high,
                                     .standardise = augmentation.standardise,
                                     .seed = seed,
                                     .stream = make_stream(RandomPurpose::kAugmentation, 0),
                                     .step = random ? step.data<int64_t>() : nullptr,
                                     .steps_per_epoch = steps_per_epoch,
                                     .out = y.data()});
  return y;
}

}  // namespace cairn
