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

uint8_t to_byte(int64_t sum) {
  return static_cast<uint8_t>(std::clamp<int64_t>((sum + (1 << (kFractionBits - 1))) >> kFractionBits, 0, 255));
}

// A channel of a pixel as it looks on white.
uint8_t on_white(const Picture& picture, int64_t pixel, int64_t channel) {
  const uint8_t* const values = picture.pixels.data() + pixel * picture.channels;
  if (picture.channels == 1) return values[0];
  if (picture.channels == 3) return values[channel];
  return static_cast<uint8_t>((values[channel] * values[3] + 255 * (255 - values[3]) + 127) / 255);
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

  const int64_t top = rows.front().first;
  const int64_t lines = rows.back().first + static_cast<int64_t>(rows.back().weights.size()) - top;
  Bytes pixels(static_cast<size_t>(image.count())), narrow(static_cast<size_t>(lines * width));
  for (int64_t channel = 0; channel < kChannels; ++channel) {
    for (int64_t y = 0; y < lines; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const Sources& sources = columns[static_cast<size_t>(x)];
        int64_t sum = 0, pixel = (top + y) * picture.width + sources.first;
        for (const int32_t weight : sources.weights) sum += int64_t{weight} * on_white(picture, pixel++, channel);
        narrow[static_cast<size_t>(y * width + x)] = to_byte(sum);
      }
    }
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const Sources& sources = rows[static_cast<size_t>(y)];
        int64_t sum = 0, place = (sources.first - top) * width + x;
        for (const int32_t weight : sources.weights) {
          sum += int64_t{weight} * narrow[static_cast<size_t>(place)];
          place += width;
        }
        pixels[static_cast<size_t>((channel * height + y) * width + x)] = to_byte(sum);
      }
    }
  }
  return pixels;
}

}  // namespace cairn::datasets
