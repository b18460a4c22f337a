// A data set resident on a device as bytes. Not here: reading it (datasets/), the order of batches (trainer.cpp).
#pragma once

#include "datasets/dataset.h"
#include "framework/tensor.h"
#include "models/model.h"

namespace cairn {

// Images and labels of one split.
struct DeviceImages {
  Tensor images;  // N x C x H x W, u8
  Tensor labels;  // N, u8
  int64_t count = 0;
};

struct DeviceData {
  DeviceImages train, test;
  float scale = 1, shift = 0;  // pixel value = byte * scale + shift
};

// Copies a data set to the device and frees the host's copy. Throws UsageError if the model takes other images or
// another number of classes.
DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  Normalization normalization, int64_t validation_count, uint64_t seed);

}  // namespace cairn
