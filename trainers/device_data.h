// A data set resident on a device as bytes. Not here: reading it (datasets/), the order of batches (trainer.cpp).
#pragma once

#include "datasets/choose.h"
#include "framework/tensor.h"
#include "models/model.h"

namespace cairn {

// Images and labels of one split.
struct DeviceImages {
  Tensor images;  // N x C x H x W, u8
  Tensor labels;  // N, i32; not defined where there are none
  int64_t count = 0;
};

// How bytes become the numbers that a network sees: byte * scale + shift.
struct PixelScale {
  float scale = 1, shift = 0;
};
PixelScale pixel_scale(Normalization normalization, const datasets::PixelStatistics& pixels);

struct DeviceData {
  DeviceImages train, test;
  RowScale pixels;
};

// Copies one split to the device.
DeviceImages upload(const std::shared_ptr<Device>& device, const datasets::Split& split);

// What data sets are chosen by, and checked against.
datasets::NetworkInput network_input(const ModelInfo& model);

// Copies a data set to the device and frees the host's copy. Throws as datasets::check_fit does.
DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  Normalization normalization, int64_t validation_count, uint64_t seed);

}  // namespace cairn
