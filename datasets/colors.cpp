#include "datasets/colors.h"

#include <algorithm>

namespace cairn::datasets {
namespace {

Color laid_on(float sheet, const uint8_t* value, int64_t channels) {
  if (channels == 1) return {float(value[0]), float(value[0]), float(value[0])};
  if (channels == 3) return {float(value[0]), float(value[1]), float(value[2])};
  const float cover = float(value[3]) / 255, rest = sheet * (1 - cover);
  return {value[0] * cover + rest, value[1] * cover + rest, value[2] * cover + rest};
}

}  // namespace

Colors to_colors(const Picture& picture, float sheet) {
  int64_t side = 1;
  const auto shrunk = [&side](int64_t length) { return std::max<int64_t>(1, length / side); };
  while (shrunk(picture.width) * shrunk(picture.height) > kMostPixels) ++side;
  const int64_t across = std::min(side, picture.width), down = std::min(side, picture.height);
  Colors colors{shrunk(picture.width), shrunk(picture.height), {}};
  colors.pixels.reserve(static_cast<size_t>(colors.width * colors.height));
  for (int64_t y = 0; y < colors.height; ++y) {
    for (int64_t x = 0; x < colors.width; ++x) {
      Color sum{};
      for (int64_t row = y * down; row < (y + 1) * down; ++row) {
        const uint8_t* value = picture.pixels.data() + (row * picture.width + x * across) * picture.channels;
        for (int64_t column = 0; column < across; ++column, value += picture.channels) {
          const Color color = laid_on(sheet, value, picture.channels);
          for (size_t channel = 0; channel < 3; ++channel) sum[channel] += color[channel];
        }
      }
      for (float& part : sum) part /= static_cast<float>(across * down);
      colors.pixels.push_back(sum);
    }
  }
  return colors;
}

Color border_color(const Colors& colors) {
  Color result;
  for (size_t channel = 0; channel < 3; ++channel) {
    std::vector<float> values;
    for (int64_t y = 0; y < colors.height; ++y) {
      const bool whole = y == 0 || y == colors.height - 1;
      for (int64_t x = 0; x < colors.width; x += whole ? 1 : std::max<int64_t>(1, colors.width - 1))
        values.push_back(colors.pixels[static_cast<size_t>(y * colors.width + x)][channel]);
    }
    result[channel] = quantile(std::move(values), 0.5);
  }
  return result;
}

}  // namespace cairn::datasets
