// A data set resident on a device as bytes. Not here: reading it (datasets/), the order of batches (trainer.cpp).
#pragma once

#include "datasets/dataset.h"
#include "framework/row_scale.h"
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
// mean, std: of the training pixels / 255.
PixelScale pixel_scale(Normalization normalization, float mean, float std);

struct DeviceData {
  DeviceImages train, test;
  RowScale pixels;
};

// Copies one split to the device.
DeviceImages upload(const std::shared_ptr<Device>& device, const datasets::ImageSet& set);

// Throws UsageError if the model takes other images or another number of classes.
void check_fit(const ModelInfo& model, const datasets::Dataset& dataset);

// Copies a data set to the device and frees the host's copy. Throws as check_fit does.
DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  Normalization normalization, int64_t validation_count, uint64_t seed);

}  // namespace cairn
