#include "trainers/device_data.h"

#include <algorithm>

#include "datasets/choose.h"
#include "datasets/order.h"
#include "framework/error.h"

namespace cairn {
namespace {

// count x row_shape, with the column's bytes in it.
Tensor upload(const std::shared_ptr<Device>& device, int64_t count, const datasets::Column& column) {
  std::vector<int64_t> sizes = {count};
  for (int i = 0; i < column.row_shape.rank(); ++i) sizes.push_back(column.row_shape[i]);
  Tensor tensor = Tensor::empty(device, Shape(sizes), column.dtype, "a data set");
  if (tensor.count() > 0) device->copy_to_device(tensor.data(), column.bytes.data(), column.bytes.size());
  return tensor;
}

// Columns on the device; the images stay with the host where there is no room.
DeviceSplit place(const std::shared_ptr<Device>& device, datasets::Split split, std::optional<size_t> room) {
  DeviceSplit result;
  result.count = split.count;
  for (datasets::Column& column : split.columns) {
    const bool image = column.name == datasets::kImage;
    const size_t bytes = static_cast<size_t>(split.count) * column.row_bytes();
    if (image && (column.source || bytes > (room ? *room : room_for_images(device->free_bytes()))))
      result.streamed = std::make_shared<StreamedImages>(device, std::move(column), split.count);
    else
      result.columns.emplace_back(column.name, upload(device, split.count, column));
  }
  return result;
}

}  // namespace

const char* DeviceSplit::input() const {
  return has(datasets::kTokens) ? datasets::kTokens : datasets::kImage;
}

Tensor DeviceSplit::samples(int64_t begin, int64_t end) const {
  return streamed ? streamed->read(begin, end) : column(input()).rows(begin, end);
}

void DeviceSplit::replace_images(const Tensor& rows) {
  streamed.reset();
  std::erase_if(columns, [](const auto& column) { return column.first == datasets::kImage; });
  columns.emplace_back(datasets::kImage, rows);
}

bool DeviceSplit::has(const std::string& name) const {
  return std::ranges::any_of(columns, [&](const auto& column) { return column.first == name; });
}

const Tensor& DeviceSplit::column(const std::string& name) const {
  std::string there;
  for (const auto& [each, tensor] : columns) {
    if (each == name) return tensor;
    there += (there.empty() ? "" : ", ") + each;
  }
  throw UsageError("the data has no column '" + name + "'; it has " + (there.empty() ? "none" : there));
}

DeviceSplit upload(const std::shared_ptr<Device>& device, const datasets::Split& split, const TokenEncoding& encoding) {
  if (split.texts) {
    datasets::Split encoded = split;
    encode_texts(encoded, encoding);
    return upload(device, encoded);
  }
  DeviceSplit result;
  result.count = split.count;
  for (const datasets::Column& column : split.columns) {
    if (column.source)
      result.streamed = std::make_shared<StreamedImages>(device, column, split.count);
    else
      result.columns.emplace_back(column.name, upload(device, split.count, column));
  }
  return result;
}

PixelScale pixel_scale(const Recipe& recipe, const datasets::PixelStatistics& own) {
  switch (recipe.normalization) {
    case Normalization::unit:
      return {{1.0f / 255.0f}, {0}};
    case Normalization::unit_256:
      return {{1.0f / 256.0f}, {0}};
    case Normalization::centred:
      return {{1.0f / 127.5f}, {-1}};
    case Normalization::imagenet:
    case Normalization::standard:
      break;
  }
  // Those of ImageNet's photos are what torchvision's weights have been trained with.
  const std::string of = recipe.normalization == Normalization::imagenet ? "imagenet" : recipe.statistics;
  const datasets::PixelStatistics pixels = of.empty() ? own : datasets::find_dataset(of).pixels;
  if (pixels.mean.size() != own.mean.size())
    throw UsageError("recipe " + recipe.name + " scales pixels as " + normalization_of(recipe) +
                     " does, whose images have " + std::to_string(pixels.mean.size()) + " channels; these have " +
                     std::to_string(own.mean.size()));
  PixelScale result;
  for (size_t channel = 0; channel < pixels.mean.size(); ++channel) {
    result.scale.push_back(1.0f / (255.0f * pixels.std[channel]));
    result.shift.push_back(-pixels.mean[channel] / pixels.std[channel]);
  }
  return result;
}

size_t room_for_images(size_t free_bytes) {
  return free_bytes / 2;
}

datasets::NetworkInput network_input(const ModelInfo& model, const Recipe& recipe) {
  return {.network = model.name,
          .image = takes_texts(model) ? Shape() : model.input,
          .classes = model.classes,
          .crop = recipe.augmentation.crop,
          .pad = recipe.augmentation.pad,
          .photo_side = model.photo_side};
}

DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  const Recipe& recipe, uint64_t seed, std::optional<size_t> room) {
  check_fit(network_input(model, recipe), dataset);
  DeviceData data;
  if (!takes_texts(model)) {
    const PixelScale pixels = pixel_scale(recipe, {dataset.mean, dataset.std});
    data.pixels = RowScale(device, pixels.scale, pixels.shift);
  }
  if (recipe.validation_count > 0)
    dataset.train = datasets::subset(dataset.train,
                                     datasets::split_indices(dataset.train.count, recipe.validation_count, seed).train);
  for (datasets::Split* split : {&dataset.train, &dataset.test})
    if (split->texts) encode_texts(*split, recipe.text);
  data.train = place(device, std::move(dataset.train), room);
  dataset.train = {};
  data.test = place(device, std::move(dataset.test), room);
  return data;
}

}  // namespace cairn
