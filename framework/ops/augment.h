// Pictures of a byte data set, changed at random on their way into a training step: cut out, mirrored, brighter or
// darker, with more or less contrast. Not here: pictures as they are (Tensor::byte_rows).
#pragma once

#include "framework/tensor.h"

namespace cairn {

// Each is off by default. What is done in which order stands at AugmentImagesArgs.
struct Augmentation {
  int64_t crop_height = 0, crop_width = 0;  // 0: the picture's own
  int64_t pad = 0;                          // zeros on every side, before it is cropped
  bool flip = false;                        // left and right, every other time
  float brightness = 0;                     // at most so much is added or taken away, of 255
  float contrast_low = 1, contrast_high = 1;
  bool standardise = false;  // each picture to mean 0 and deviation 1, in place of the data set's scale

  bool operator==(const Augmentation&) const = default;
};

// x: rows of a byte data set (Tensor::byte_rows), N x C x H x W, that nobody has gathered. The result, N x C x crop,
// has no gradient. random: draws anew for each picture in each epoch, from the seed, so that a picture is the same on
// every implementation and in whatever batch it comes; otherwise its centre is taken, as it is. step: one i64, the step
// clock's; read only where random, and steps_per_epoch likewise. number: N i32, the pictures' numbers in the data set,
// where x's own index is not that; or not defined.
Tensor augment_images(const Tensor& x, const Augmentation& augmentation, bool random, uint64_t seed, const Tensor& step,
                      int64_t steps_per_epoch, const Tensor& number = {});

// The shape of a picture, C x H x W, after that. Throws ShapeError in one line for a crop that does not fit, and for
// other settings that make no sense.
Shape augmented_shape(const Shape& picture, const Augmentation& augmentation);

}  // namespace cairn
