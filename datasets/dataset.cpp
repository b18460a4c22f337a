#include "datasets/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "datasets/stream.h"

namespace cairn::datasets {
namespace {

const Bytes& resident(const Column& column) {
  if (column.source)
    throw UsageError(fmt::format("the column '{}' is in files, where the whole of it is asked for", column.name));
  return column.bytes;
}

// Adds labels, one for each image.
Split with_labels(Split split, std::span<const int32_t> labels) {
  if (static_cast<int64_t>(labels.size()) != split.count)
    throw ShapeError(fmt::format("{} labels for {} {}", labels.size(), split.count, split.texts ? "texts" : "images"));
  Bytes bytes(labels.size_bytes());
  if (!labels.empty()) std::memcpy(bytes.data(), labels.data(), bytes.size());
  split.columns.push_back({kLabel, DType::i32, {}, std::move(bytes)});
  return split;
}

}  // namespace

bool Split::has(const std::string& name) const {
  return std::ranges::find(columns, name, &Column::name) != columns.end();
}

const Column& Split::column(const std::string& name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  if (found != columns.end()) return *found;
  std::string there;
  for (const Column& column : columns) there += (there.empty() ? "" : ", ") + column.name;
  throw UsageError(
      fmt::format("the data set has no column '{}'; it has {}", name, there.empty() ? "no columns" : there));
}

std::span<const uint8_t> images(const Split& split) {
  return resident(split.column(kImage));
}

Shape image_shape(const Split& split) {
  return split.column(kImage).row_shape;
}

std::span<const int32_t> labels(const Split& split) {
  const Bytes& bytes = resident(split.column(kLabel));
  return {reinterpret_cast<const int32_t*>(bytes.data()), bytes.size() / sizeof(int32_t)};
}

Split image_split(const Shape& image, Bytes pixels, std::span<const int32_t> labels) {
  const auto size = static_cast<size_t>(image.count());
  if (image.rank() != 3 || size == 0 || pixels.size() % size != 0)
    throw ShapeError(fmt::format("{} bytes are no whole number of images of {}", pixels.size(), image.text()));
  Split split{static_cast<int64_t>(pixels.size() / size), {}};
  split.columns.push_back({kImage, DType::u8, image, std::move(pixels)});
  return labels.empty() ? split : with_labels(std::move(split), labels);
}

Split streamed_split(const Shape& image, std::shared_ptr<BatchSource> source, std::span<const int32_t> labels) {
  Split split{source->count(), {}};
  split.columns.push_back({kImage, DType::u8, image, {}, std::move(source)});
  return labels.empty() ? split : with_labels(std::move(split), labels);
}

Split text_split(Texts texts, std::span<const int32_t> labels) {
  Split split{texts.count(), {}, std::move(texts)};
  return labels.empty() ? split : with_labels(std::move(split), labels);
}

void encode_texts(Split& split, const TokenEncoding& encoding) {
  Column tokens{kTokens, DType::i32, {encoding.length}, {}};
  tokens.bytes.resize(static_cast<size_t>(split.count) * tokens.row_bytes());
  std::vector<int32_t> row(static_cast<size_t>(encoding.length));
  for (int64_t i = 0; i < split.count; ++i) {
    encoding.encode(split.texts->text(i), row);
    std::memcpy(tokens.bytes.data() + static_cast<size_t>(i) * tokens.row_bytes(), row.data(), tokens.row_bytes());
  }
  split.columns.insert(split.columns.begin(), std::move(tokens));
  split.texts.reset();
}

void read_rows(const Column& column, std::span<const int32_t> rows, std::byte* into) {
  if (column.source) return column.source->read(rows, into);
  const size_t size = column.row_bytes();
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(into + i * size, column.bytes.data() + static_cast<size_t>(rows[i]) * size, size);
}

Bytes byte_labels(const Split& split) {
  Bytes bytes;
  for (const int32_t label : labels(split)) {
    if (label < 0 || label > UINT8_MAX) throw UsageError(fmt::format("label {} does not fit into a byte", label));
    bytes.push_back(static_cast<uint8_t>(label));
  }
  return bytes;
}

Bytes label_bytes(const Split& split) {
  const std::span<const int32_t> all = labels(split);
  if (std::ranges::all_of(all, [](int32_t label) { return label >= 0 && label <= UINT8_MAX; }))
    return byte_labels(split);
  Bytes bytes;
  for (const int32_t label : all)
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<uint8_t>(static_cast<uint32_t>(label) >> shift));
  return bytes;
}

std::vector<int32_t> widen_labels(std::span<const uint8_t> labels) {
  return {labels.begin(), labels.end()};
}

PixelStatistics measure_pixels(const Split& split) {
  const Shape shape = image_shape(split);
  const auto plane = static_cast<size_t>(shape[1] * shape[2]), channels = static_cast<size_t>(shape[0]);
  std::vector<uint64_t> sums(channels), squares(channels);  // exact: 64 bits hold the squares of 2^48 pixels
  Bytes image(channels * plane);
  for (int64_t row = 0; row < split.count; ++row) {
    const auto number = static_cast<int32_t>(row);
    read_rows(split.column(kImage), {&number, 1}, std::as_writable_bytes(std::span(image)).data());
    for (size_t channel = 0; channel < channels; ++channel) {
      for (const uint8_t pixel : std::span(image).subspan(channel * plane, plane)) {
        sums[channel] += pixel;
        squares[channel] += uint32_t{pixel} * pixel;
      }
    }
  }
  PixelStatistics statistics;
  for (size_t channel = 0; channel < channels; ++channel) {
    const double count = static_cast<double>(split.count) * static_cast<double>(plane);
    const double mean = static_cast<double>(sums[channel]) / count;
    const double mean_square = static_cast<double>(squares[channel]) / count;
    statistics.mean.push_back(static_cast<float>(mean / 255));
    statistics.std.push_back(static_cast<float>(std::sqrt(mean_square - mean * mean) / 255));
  }
  return statistics;
}

}  // namespace cairn::datasets
