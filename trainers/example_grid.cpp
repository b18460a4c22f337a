#include "trainers/example_grid.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "datasets/choose.h"
#include "datasets/image_grid.h"
#include "trainers/run_config.h"
#include "trainers/sample_input.h"

namespace cairn {
namespace {

// A function of the pixel alone, so that pictures of one page can be compared.
uint8_t byte_of(float value, bool standardised) {
  const float byte = standardised ? 128 + 64 * value : value;
  return static_cast<uint8_t>(std::lround(std::clamp(byte, 0.0f, 255.0f)));
}

}  // namespace

datasets::Bytes seen_pixels(const std::shared_ptr<Device>& device, const datasets::Split& train,
                            std::span<const int32_t> rows, const AugmentationRecipe& augmentation, uint64_t seed) {
  const datasets::Column& column = train.column(datasets::kImage);
  datasets::Bytes stored(rows.size() * column.row_bytes());
  read_rows(column, rows, std::as_writable_bytes(std::span(stored)).data());
  if (!augmentation.any()) return stored;
  const Shape& image = column.row_shape;
  const auto count = static_cast<int64_t>(rows.size());
  const Tensor images =
      Tensor::from_host<uint8_t>(device, {count, image[0], image[1], image[2]}, std::span<const uint8_t>(stored));
  const Tensor number = Tensor::from_host<int32_t>(device, {count}, rows);
  const Tensor step = Tensor::zeros(device, {}, DType::i64);
  const SampleInput input(RowScale(device, 1, 0), augmentation);
  const std::vector<float> seen = input.augmented(images, {}, {seed, step, 1}, number).to_host<float>();
  datasets::Bytes pixels(seen.size());
  std::ranges::transform(seen, pixels.begin(), [&](float value) { return byte_of(value, augmentation.standardise); });
  return pixels;
}

datasets::Picture draw_examples(const datasets::Dataset& dataset, const AugmentationRecipe& augmentation,
                                uint64_t seed) {
  constexpr int64_t kColumns = 10, kMost = 100;
  check_augmentation(augmentation);
  const Shape stored = image_shape(dataset.train);
  datasets::check_window(dataset.name, stored, augmentation.crop, augmentation.pad);
  DeviceOptions options;
  options.implementation = "reference";
  const int64_t each = std::clamp<int64_t>(kMost / dataset.classes, 1, kColumns);
  const std::vector<int32_t> rows = first_of_each_class(dataset.train, dataset.classes, each);
  const datasets::Bytes pixels = seen_pixels(Device::open(options), dataset.train, rows, augmentation, seed);
  const Shape image = augmented_shape(stored, augmentation.settings());
  const auto size = static_cast<size_t>(image.count());
  std::vector<datasets::GridCell> cells;
  for (size_t i = 0; i < rows.size(); ++i)
    cells.push_back({std::span(pixels).subspan(i * size, size),
                     std::to_string(labels(dataset.train)[static_cast<size_t>(rows[i])])});
  return draw_grid(image, cells, kColumns);
}

}  // namespace cairn
