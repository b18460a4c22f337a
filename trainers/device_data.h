// A data set's columns on a device: all of their rows, or, where those do not fit, the rows of the step in hand. Not
// here: reading a data set (datasets/), which rows a step takes (loop.h), what a network sees of them (sample_input.h).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "datasets/choose.h"
#include "framework/row_scale.h"
#include "models/model.h"
#include "trainers/streamed_images.h"

namespace cairn {

// Columns of one split: as many rows as the split has.
struct DeviceSplit {
  int64_t count = 0;
  std::vector<std::pair<std::string, Tensor>> columns;
  std::shared_ptr<StreamedImages> streamed = {};  // in place of the image column, or null

  bool has(const std::string& name) const;
  // Throws UsageError that names the columns there are.
  const Tensor& column(const std::string& name) const;
  // The column that a network sees: images, or the numbers of texts' words.
  const char* input() const;
  // Rows begin .. end - 1 of it, wherever they lie.
  Tensor samples(int64_t begin, int64_t end) const;
  // Puts other rows, as many, in the place of the images.
  void replace_images(const Tensor& rows);
};

struct DeviceData {
  DeviceSplit train, test;
  RowScale pixels;  // of images: how bytes become the numbers that a network sees
};

// encoding: of texts.
DeviceSplit upload(const std::shared_ptr<Device>& device, const datasets::Split& split,
                   const TokenEncoding& encoding = {});

// byte * scale + shift: one value each, or one for each channel.
struct PixelScale {
  std::vector<float> scale, shift;
};
// As the recipe normalises; own: of the data set that is trained on. Throws UsageError for statistics of another number
// of channels.
PixelScale pixel_scale(const Recipe& recipe, const datasets::PixelStatistics& own);

// What data sets are chosen by, and checked against.
datasets::NetworkInput network_input(const ModelInfo& model, const Recipe& recipe);

// How many bytes images may take of so much free memory: half of it. The rest is the network's and its activations'.
size_t room_for_images(size_t free_bytes);

// Copies a data set to the device, without the training examples that the recipe holds out by the seed, and frees the
// host's copy; texts as the recipe encodes them. Throws as datasets::check_fit does. Images of a split that do not fit
// into `room`, by default room_for_images of what is free then, stay with the host and come batch by batch; room 0: all
// of them.
DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  const Recipe& recipe, uint64_t seed, std::optional<size_t> room = {});

}  // namespace cairn
