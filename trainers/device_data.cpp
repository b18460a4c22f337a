#include "trainers/device_data.h"

#include "datasets/loader.h"
#include "framework/error.h"

namespace cairn {
namespace {

DeviceImages upload(const std::shared_ptr<Device>& device, datasets::ImageSet&& set) {
  DeviceImages result;
  result.count = set.count;
  result.images = Tensor::from_host<uint8_t>(device, {set.count, set.channels, set.height, set.width}, set.images);
  result.labels = Tensor::from_host<uint8_t>(device, {set.count}, set.labels);
  set = {};
  return result;
}

}  // namespace

DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  Normalization normalization, int64_t validation_count, uint64_t seed) {
  const Shape image{dataset.train.channels, dataset.train.height, dataset.train.width};
  if (image != model.input || dataset.classes != model.classes)
    throw UsageError("model " + model.name + " takes images of " + model.input.text() + " in " +
                     std::to_string(model.classes) + " classes; data set " + dataset.name + " has " + image.text() +
                     " in " + std::to_string(dataset.classes));
  if (validation_count > 0) {
    const datasets::Split split = datasets::split_indices(dataset.train.count, validation_count, seed);
    dataset.train = datasets::subset(dataset.train, split.train);
  }
  DeviceData data;
  data.scale = 1.0f / 255.0f;
  if (normalization == Normalization::standard) {
    data.scale = 1.0f / (255.0f * dataset.std);
    data.shift = -dataset.mean / dataset.std;
  }
  data.train = upload(device, std::move(dataset.train));
  data.test = upload(device, std::move(dataset.test));
  return data;
}

}  // namespace cairn
