// A page of the first training images of each class, as they are stored or as a network sees them. Not here: the
// augmentation itself (sample_input.h), the page's form (datasets/image_grid.h).
#pragma once

#include "datasets/dataset.h"
#include "datasets/png.h"
#include "framework/device.h"
#include "models/model.h"

namespace cairn {

// The pixels of these training images, image after image, as a training of that seed sees them in its first epoch,
// where it holds no images out. Rounded to bytes, and clipped to them; of standardised images 0 is 128 and a
// deviation 64.
datasets::Bytes seen_pixels(const std::shared_ptr<Device>& device, const datasets::Split& train,
                            std::span<const int32_t> rows, const AugmentationRecipe& augmentation, uint64_t seed);

// Ten rows of ten or so, the class below each image.
// UsageError: the augmentation makes no sense, or does not fit the images.
datasets::Picture draw_examples(const datasets::Dataset& dataset, const AugmentationRecipe& augmentation,
                                uint64_t seed);

}  // namespace cairn
