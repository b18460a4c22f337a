// Lays a digit of digits.h as ink over a ground: two colours that differ enough in brightness to be read, a slope of
// light over the ground, a coarse mottle, and noise. Integers only: the bytes do not depend on the machine.
#include "datasets/digits32.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "datasets/drawn_files.h"
#include "datasets/draws.h"

namespace cairn::datasets {
namespace {

constexpr int kSide = static_cast<int>(kDigit32Side), kInner = static_cast<int>(kDigitSide);
constexpr size_t kPlane = static_cast<size_t>(kSide) * kSide;
constexpr int kCell = 8;                   // pixels a side of a patch of the mottle
constexpr int kLeastContrast = 70;         // of brightness, of 255
constexpr uint32_t kFirstColorStream = 2;  // 0 and 1 are the digits' own

using Rgb = std::array<int, 3>;

Rgb draw_color(Draws& draws) {
  const auto level = [&] { return static_cast<int>(draws.below(256)); };
  const int red = level(), green = level();
  return {red, green, level()};
}

// Rec. 601's weights, of 256.
int brightness(const Rgb& color) {
  return (77 * color[0] + 150 * color[1] + 29 * color[2]) / 256;
}

// A colour that can be told from the ground; where a few draws bring none, black or white.
Rgb draw_ink(Draws& draws, const Rgb& ground) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    const Rgb ink = draw_color(draws);
    if (std::abs(brightness(ink) - brightness(ground)) >= kLeastContrast) return ink;
  }
  return brightness(ground) < 128 ? Rgb{255, 255, 255} : Rgb{0, 0, 0};
}

// What is added to the ground, the same for all three channels.
class Texture {
 public:
  explicit Texture(Draws& draws) {
    across_ = static_cast<int>(draws.below(49)) - 24;
    down_ = static_cast<int>(draws.below(49)) - 24;
    const auto depth = static_cast<int>(draws.below(9));
    for (int& patch : patches_)
      patch = depth == 0 ? 0 : static_cast<int>(draws.below(static_cast<uint32_t>(2 * depth + 1))) - depth;
  }
  int at(int row, int column) const {
    return (across_ * (2 * column - kSide) + down_ * (2 * row - kSide)) / (2 * kSide) +
           patches_[static_cast<size_t>(row / kCell * (kSide / kCell) + column / kCell)];
  }

 private:
  int across_, down_;  // over the whole picture
  std::array<int, (kSide / kCell) * (kSide / kCell)> patches_;
};

}  // namespace

uint8_t draw_digit32(uint64_t seed, DigitsSplit split, uint32_t index, std::span<uint8_t> pixels) {
  if (pixels.size() != 3 * kPlane)
    throw ShapeError(fmt::format("draw_digit32: {} pixels were given, not {}", pixels.size(), 3 * kPlane));
  std::array<uint8_t, static_cast<size_t>(kInner) * kInner> digit;
  const uint8_t label = draw_digit(seed, split, index, digit);

  Draws draws(seed, kFirstColorStream + static_cast<uint32_t>(split), index);
  const Rgb ground = draw_color(draws), ink = draw_ink(draws, ground);
  const Texture texture(draws);
  const auto top = static_cast<int>(draws.below(kSide - kInner + 1));
  const auto left = static_cast<int>(draws.below(kSide - kInner + 1));
  const auto noise = static_cast<int>(draws.below(4));
  for (int row = 0; row < kSide; ++row) {  // a row at a time, each of its parts in a loop that vectorises
    std::array<int, kSide> cover{}, shade;
    std::array<uint32_t, kSide> words;
    if (const int y = row - top; y >= 0 && y < kInner) std::copy_n(&digit[y * kInner], kInner, &cover[left]);
    for (int column = 0; column < kSide; ++column) shade[column] = texture.at(row, column);
    for (uint32_t& word : words) word = draws.word();
    for (size_t channel = 0; channel < 3; ++channel) {
      uint8_t* const line = &pixels[channel * kPlane + static_cast<size_t>(row * kSide)];
      const int under = ground[channel], over = ink[channel];
      const uint32_t shift = 8 * static_cast<uint32_t>(channel);
      for (size_t i = 0; i < kSide; ++i) {
        const auto byte = static_cast<int>(words[i] >> shift & 255);
        const int grain = ((byte & 15) + (byte >> 4) - 15) * noise / 2;
        const int value = (std::clamp(under + shade[i], 0, 255) * (255 - cover[i]) + over * cover[i]) / 255 + grain;
        line[i] = static_cast<uint8_t>(std::clamp(value, 0, 255));
      }
    }
  }
  return label;
}

DatasetInfo digits32_info() {
  return {
      .name = "digits32",
      .description = "the same in colour on coloured ground, 32x32, 10 classes, 20,000 + 4,000; needs no files",
      .image = {3, kDigit32Side, kDigit32Side},
      .class_names = digits_info().class_names,
      .pixels = {{0.496988088f, 0.50001514f, 0.49892956f}, {0.280270398f, 0.277249664f, 0.280212998f}},
      .load = [](const std::filesystem::path&, const LoadOptions& options) { return generate_digits32(options.seed); },
      .write = write_digits32,
      .file_count = 6};
}

Dataset generate_digits32(uint64_t seed, int64_t train_count, int64_t test_count) {
  return generate(digits32_info(), seed, train_count, test_count, draw_digit32);
}

}  // namespace cairn::datasets
