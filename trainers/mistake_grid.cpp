#include "trainers/mistake_grid.h"

#include <algorithm>
#include <array>
#include <string>

namespace cairn {
namespace {

constexpr int64_t kColumns = 8, kZoom = 2, kGap = 8;
constexpr int64_t kGlyphWidth = 3, kGlyphHeight = 5, kGlyphZoom = 2;
constexpr int64_t kTextHeight = kGlyphHeight * kGlyphZoom + 4;
constexpr uint8_t kPaper = 255, kText = 0;

// 0 to 9 and '>', five rows of three bits.
constexpr std::array<std::array<uint8_t, 5>, 11> kGlyphs = {{{7, 5, 5, 5, 7},
                                                             {2, 6, 2, 2, 7},
                                                             {7, 1, 7, 4, 7},
                                                             {7, 1, 7, 1, 7},
                                                             {5, 5, 7, 1, 1},
                                                             {7, 4, 7, 1, 7},
                                                             {7, 4, 7, 5, 7},
                                                             {7, 1, 2, 2, 2},
                                                             {7, 5, 7, 5, 7},
                                                             {7, 5, 7, 1, 7},
                                                             {4, 2, 1, 2, 4}}};

class Page {
 public:
  Page(int64_t width, int64_t height, int64_t channels)
      : picture_{width, height, channels, datasets::Bytes(static_cast<size_t>(width * height * channels), kPaper)} {}

  // A square of side x side pixels.
  void square(int64_t x, int64_t y, int64_t side, int64_t channel, uint8_t value) {
    for (int64_t row = y; row < y + side; ++row)
      for (int64_t column = x; column < x + side; ++column)
        picture_.pixels[static_cast<size_t>((row * picture_.width + column) * picture_.channels + channel)] = value;
  }
  void write(int64_t x, int64_t y, const std::string& text) {
    for (const char letter : text) {
      const std::array<uint8_t, 5>& glyph = kGlyphs[letter == '>' ? 10 : static_cast<size_t>(letter - '0')];
      for (int64_t row = 0; row < kGlyphHeight; ++row)
        for (int64_t column = 0; column < kGlyphWidth; ++column)
          for (int64_t channel = 0; channel < picture_.channels; ++channel)
            if (glyph[static_cast<size_t>(row)] >> (kGlyphWidth - 1 - column) & 1)
              square(x + column * kGlyphZoom, y + row * kGlyphZoom, kGlyphZoom, channel, kText);
      x += (kGlyphWidth + 1) * kGlyphZoom;
    }
  }
  datasets::Picture take() { return std::move(picture_); }

 private:
  datasets::Picture picture_;
};

}  // namespace

datasets::Picture draw_mistakes(const datasets::Split& split, std::span<const Mistake> mistakes) {
  const Shape shape = image_shape(split);
  const int64_t channels = shape[0], height = shape[1], width = shape[2];
  const auto count = static_cast<int64_t>(std::min(mistakes.size(), kMistakesShown));
  const int64_t columns = std::clamp<int64_t>(count, 1, kColumns), rows = (count + columns - 1) / columns;
  const int64_t cell_width = width * kZoom + kGap, cell_height = height * kZoom + kTextHeight + kGap;
  Page page(columns * cell_width + kGap, rows * cell_height + kGap, channels);
  for (int64_t i = 0; i < count; ++i) {
    const Mistake& mistake = mistakes[static_cast<size_t>(i)];
    const int64_t left = i % columns * cell_width + kGap, top = i / columns * cell_height + kGap;
    const uint8_t* pixel = images(split).data() + mistake.index * shape.count();
    for (int64_t channel = 0; channel < channels; ++channel)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) page.square(left + x * kZoom, top + y * kZoom, kZoom, channel, *pixel++);
    page.write(left, top + height * kZoom + 2, std::to_string(mistake.label) + ">" + std::to_string(mistake.predicted));
  }
  return page.take();
}

}  // namespace cairn
