#include "datasets/image_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cairn::datasets {
namespace {

constexpr int64_t kZoom = 2, kGap = 8;
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
      : picture_{width, height, channels, Bytes(static_cast<size_t>(width * height * channels), kPaper)} {}

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
  void show(int64_t x, int64_t y, const Shape& image, std::span<const uint8_t> pixels) {
    const uint8_t* pixel = pixels.data();
    for (int64_t channel = 0; channel < image[0]; ++channel)
      for (int64_t row = 0; row < image[1]; ++row)
        for (int64_t column = 0; column < image[2]; ++column)
          square(x + column * kZoom, y + row * kZoom, kZoom, channel, *pixel++);
  }
  Picture take() { return std::move(picture_); }

 private:
  Picture picture_;
};

}  // namespace

Picture draw_grid(const Shape& image, std::span<const GridCell> cells, int64_t columns) {
  if (image.rank() != 3 || (image[0] != 1 && image[0] != 3))
    throw ShapeError(fmt::format("images of one channel or three can be drawn, not of {}", image.text()));
  const auto count = static_cast<int64_t>(cells.size());
  columns = std::clamp<int64_t>(count, 1, columns);
  const int64_t rows = (count + columns - 1) / columns;
  const bool texts = std::ranges::any_of(cells, [](const GridCell& cell) { return !cell.text.empty(); });
  const int64_t cell_width = image[2] * kZoom + kGap;
  const int64_t cell_height = image[1] * kZoom + (texts ? kTextHeight : 0) + kGap;
  Page page(columns * cell_width + kGap, rows * cell_height + kGap, image[0]);
  for (int64_t i = 0; i < count; ++i) {
    const GridCell& cell = cells[static_cast<size_t>(i)];
    if (static_cast<int64_t>(cell.pixels.size()) != image.count())
      throw ShapeError(fmt::format("{} pixels for an image of {}", cell.pixels.size(), image.text()));
    const int64_t left = i % columns * cell_width + kGap, top = i / columns * cell_height + kGap;
    page.show(left, top, image, cell.pixels);
    page.write(left, top + image[1] * kZoom + 2, cell.text);
  }
  return page.take();
}

std::vector<int32_t> first_of_each_class(const Split& split, int classes, int64_t each) {
  std::vector<std::vector<int32_t>> found(static_cast<size_t>(classes));
  int32_t index = 0;
  for (const int32_t label : labels(split)) {
    std::vector<int32_t>& of_class = found[static_cast<size_t>(label)];
    if (static_cast<int64_t>(of_class.size()) < each) of_class.push_back(index);
    ++index;
  }
  std::vector<int32_t> all;
  for (const std::vector<int32_t>& of_class : found) all.insert(all.end(), of_class.begin(), of_class.end());
  return all;
}

}  // namespace cairn::datasets
