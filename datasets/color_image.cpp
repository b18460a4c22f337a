// Pillow's scaling (src/libImaging/Resample.c): first along the rows, then along the columns, each pixel the sum of its
// sources by a triangle's weights, in fixed point, rounded to a byte after each of the two.
#include "datasets/color_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "framework/error.h"

namespace cairn::datasets {
namespace {

constexpr int kFractionBits = 22;
constexpr int64_t kChannels = 3;

// The source pixels of one pixel of a line.
struct Sources {
  int64_t first = 0;
  std::vector<int32_t> weights;  // of 2^22
};

// Of pixels begin .. begin + count - 1 when a line of `from` pixels is scaled to `to`. The triangle is two pixels wide,
// of the result where that has the larger ones, else of the source.
std::vector<Sources> sources_of(int64_t from, int64_t to, int64_t begin, int64_t count) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), reach = std::max(scale, 1.0);
  std::vector<Sources> all;
  for (int64_t i = begin; i < begin + count; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(center - reach + 0.5));
    const auto end = std::min(from, static_cast<int64_t>(center + reach + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (int64_t pixel = first; pixel < end; ++pixel) {
      const double distance = std::abs((static_cast<double>(pixel) - center + 0.5) * (1.0 / reach));
      weights.push_back(std::max(0.0, 1.0 - distance));
      sum += weights.back();
    }
    Sources sources{first, {}};
    for (const double weight : weights)
      sources.weights.push_back(static_cast<int32_t>(0.5 + (sum != 0 ? weight / sum : weight) * (1 << kFractionBits)));
    all.push_back(std::move(sources));
  }
  return all;
}

// A sum of sources by their weights is below 2^31: rounded, the weights are together at most twice 2^22.
constexpr int32_t kHalf = 1 << (kFractionBits - 1);

uint8_t to_byte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

// Pixels as they look on white, three bytes each: `count` of them from `values` on.
void lay_on_white(const uint8_t* values, int64_t channels, int64_t count, uint8_t* to) {
  for (const uint8_t* const end = values + count * channels; values != end; values += channels) {
    for (int64_t channel = 0; channel < kChannels; ++channel)
      *to++ = channels == 1 ? values[0]
                            : static_cast<uint8_t>((values[channel] * values[3] + 255 * (255 - values[3]) + 127) / 255);
  }
}

// Where the middle `part` pixels of `whole` begin: half of the rest, a half itself to the even number, as Python
// rounds.
int64_t middle(int64_t whole, int64_t part) {
  const int64_t rest = whole - part, half = rest / 2;
  return rest % 2 == 0 || half % 2 == 0 ? half : half + 1;
}

// Height and width that the picture is scaled to. The scaled picture is never made: it may be a million times longer
// than wide.
std::pair<int64_t, int64_t> scaled_size(const Picture& picture, int64_t height, int64_t width, int64_t shorter_side) {
  if (shorter_side > 0) height = width = shorter_side;
  if (picture.width * height >= picture.height * width)
    return {height, std::max(width, picture.width * height / picture.height)};
  return {std::max(height, picture.height * width / picture.width), width};
}

int64_t end_of(const Sources& sources) {
  return sources.first + static_cast<int64_t>(sources.weights.size());
}

// Lines top .. top + lines - 1 of the picture with these columns, plane by plane.
Bytes scale_lines(const Picture& picture, const std::vector<Sources>& columns, int64_t top, int64_t lines) {
  const auto width = static_cast<int64_t>(columns.size()), plane = lines * width;
  const int64_t left = columns.front().first, seen = end_of(columns.back()) - left;
  Bytes flat(static_cast<size_t>(picture.channels == kChannels ? 0 : seen * kChannels));
  Bytes planes(static_cast<size_t>(kChannels * plane));
  for (int64_t y = 0; y < lines; ++y) {
    const uint8_t* line = picture.pixels.data() + ((top + y) * picture.width + left) * picture.channels;
    if (!flat.empty()) {
      lay_on_white(line, picture.channels, seen, flat.data());
      line = flat.data();
    }
    uint8_t* to = planes.data() + y * width;
    for (const Sources& sources : columns) {
      const uint8_t* from = line + (sources.first - left) * kChannels;
      int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (const int32_t weight : sources.weights) {
        red += weight * from[0];
        green += weight * from[1];
        blue += weight * from[2];
        from += kChannels;
      }
      to[0] = to_byte(red);
      to[plane] = to_byte(green);
      to[2 * plane] = to_byte(blue);
      ++to;
    }
  }
  return planes;
}

// One line of a plane: its sources are lines of `width` bytes, the first of them at `from`.
void scale_line(const uint8_t* from, const Sources& sources, int64_t width, uint8_t* to) {
  std::vector<int32_t> sums(static_cast<size_t>(width), kHalf);
  for (const int32_t weight : sources.weights)
    for (int32_t& sum : sums) sum += weight * *from++;
  std::ranges::transform(sums, to, to_byte);
}

}  // namespace

Bytes prepare_color(const Picture& picture, const Shape& image, int64_t shorter_side) {
  if (image.rank() != 3 || image[0] != kChannels)
    throw UsageError(fmt::format("a picture becomes an image of 3 channels, not of {}", image.text()));
  const int64_t height = image[1], width = image[2];
  if (shorter_side > 0 && std::max(height, width) > shorter_side)
    throw UsageError(
        fmt::format("a picture scaled to a shorter side of {} has no middle of {} x {}", shorter_side, height, width));
  const auto [scaled_height, scaled_width] = scaled_size(picture, height, width, shorter_side);
  const std::vector<Sources> columns = sources_of(picture.width, scaled_width, middle(scaled_width, width), width);
  const std::vector<Sources> rows = sources_of(picture.height, scaled_height, middle(scaled_height, height), height);

  const int64_t top = rows.front().first, lines = end_of(rows.back()) - top;
  const Bytes planes = scale_lines(picture, columns, top, lines);
  Bytes pixels(static_cast<size_t>(image.count()));
  uint8_t* to = pixels.data();
  for (int64_t channel = 0; channel < kChannels; ++channel) {
    for (const Sources& sources : rows) {
      scale_line(planes.data() + (channel * lines + sources.first - top) * width, sources, width, to);
      to += width;
    }
  }
  return pixels;
}

}  // namespace cairn::datasets
