#include "trainers/device_data.h"

#include "datasets/loader.h"
#include "framework/error.h"

namespace cairn {

PixelScale pixel_scale(Normalization normalization, float mean, float std) {
  constexpr float kMnistMean = 0.1307f, kMnistStd = 0.3081f;
  switch (normalization) {
    case Normalization::unit:
      return {1.0f / 255.0f, 0};
    case Normalization::unit_256:
      return {1.0f / 256.0f, 0};
    case Normalization::standard:
      return {1.0f / (255.0f * std), -mean / std};
    case Normalization::mnist:
      return {1.0f / (255.0f * kMnistStd), -kMnistMean / kMnistStd};
  }
  throw Error("unknown normalization");
}

DeviceImages upload(const std::shared_ptr<Device>& device, const datasets::ImageSet& set) {
  DeviceImages result;
  result.count = set.count;
  result.images = Tensor::from_host<uint8_t>(device, {set.count, set.channels, set.height, set.width}, set.images);
  if (!set.labels.empty())
    result.labels =
        Tensor::from_host<int32_t>(device, {set.count}, std::vector<int32_t>(set.labels.begin(), set.labels.end()));
  return result;
}

void check_fit(const ModelInfo& model, const datasets::Dataset& dataset) {
  const Shape image{dataset.train.channels, dataset.train.height, dataset.train.width};
  if (image != model.input || dataset.classes != model.classes)
    throw UsageError("model " + model.name + " takes images of " + model.input.text() + " in " +
                     std::to_string(model.classes) + " classes; data set " + dataset.name + " has " + image.text() +
                     " in " + std::to_string(dataset.classes));
}

DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  Normalization normalization, int64_t validation_count, uint64_t seed) {
  check_fit(model, dataset);
  if (validation_count > 0) {
    const datasets::Split split = datasets::split_indices(dataset.train.count, validation_count, seed);
    dataset.train = datasets::subset(dataset.train, split.train);
  }
  DeviceData data;
  const PixelScale pixels = pixel_scale(normalization, dataset.mean, dataset.std);
  data.pixels = RowScale(device, pixels.scale, pixels.shift);
  data.train = upload(device, dataset.train);
  dataset.train = {};
  data.test = upload(device, dataset.test);
  return data;
}

}  // namespace cairn
