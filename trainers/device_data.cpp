#include "trainers/device_data.h"

#include "datasets/order.h"
#include "framework/error.h"

namespace cairn {

PixelScale pixel_scale(Normalization normalization, const datasets::PixelStatistics& pixels) {
  constexpr float kMnistMean = 0.1307f, kMnistStd = 0.3081f;
  const float mean = pixels.mean.front(), std = pixels.std.front();
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

DeviceImages upload(const std::shared_ptr<Device>& device, const datasets::Split& split) {
  const Shape image = image_shape(split);
  DeviceImages result;
  result.count = split.count;
  result.images = Tensor::from_host<uint8_t>(device, {split.count, image[0], image[1], image[2]}, images(split));
  if (split.has(datasets::kLabel))
    result.labels = Tensor::from_host<uint8_t>(device, {split.count}, byte_labels(split));
  return result;
}

datasets::NetworkInput network_input(const ModelInfo& model) {
  return {model.name, model.input, static_cast<int>(model.classes)};
}

DeviceData upload(const std::shared_ptr<Device>& device, datasets::Dataset dataset, const ModelInfo& model,
                  Normalization normalization, int64_t validation_count, uint64_t seed) {
  check_fit(network_input(model), dataset);
  if (validation_count > 0) {
    const datasets::SplitIndices split = datasets::split_indices(dataset.train.count, validation_count, seed);
    dataset.train = datasets::subset(dataset.train, split.train);
  }
  DeviceData data;
  data.pixels = pixel_scale(normalization, {dataset.mean, dataset.std});
  data.train = upload(device, dataset.train);
  dataset.train = {};
  data.test = upload(device, dataset.test);
  return data;
}

}  // namespace cairn
