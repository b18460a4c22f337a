// Plots: ticks, where values end up, letters that can be told apart, and files that are what they claim to be.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "comparisons/font.h"
#include "comparisons/plot.h"

namespace cairn::comparisons {
namespace {

Plot example(bool logarithmic) {
  return {"example", "A <plot>",  "epochs",
          "seconds", logarithmic, {{"ours", {{1, 2}, {2, 4}, {4, 8}}, false}, {"theirs", {{4, 800}}, true}}};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Dark pixels right of x, in fractions of the picture: the legend's.
int64_t dark_pixels(const datasets::Picture& picture, double from) {
  int64_t count = 0;
  for (int64_t y = 0; y < picture.height; ++y)
    for (auto x = static_cast<int64_t>(from * static_cast<double>(picture.width)); x < picture.width; ++x)
      count += picture.pixels[static_cast<size_t>((y * picture.width + x) * 3)] < 100;
  return count;
}

}  // namespace

TEST_CASE("ticks are round numbers that cover the range") {
  CHECK(round_ticks(0, 45, 7) == std::vector<double>{0, 10, 20, 30, 40, 50});
  CHECK(round_ticks(97.2, 99.1, 5) == std::vector<double>{97, 97.5, 98, 98.5, 99, 99.5});
  const std::vector<double> single = round_ticks(88, 88, 5);
  CHECK(single.front() < 88);
  CHECK(single.back() > 88);
  CHECK(round_ticks(0, 0, 5).size() >= 2);
}

TEST_CASE("a plot as SVG: every point, dashes for what was published, text that cannot break out") {
  const std::string text = svg(example(false));
  CHECK(text.starts_with("<svg "));
  CHECK(text.ends_with("</svg>\n"));
  CHECK(has(text, "<title>A &lt;plot&gt;</title>"));
  CHECK_FALSE(has(text, "<plot>"));
  CHECK(has(text, ">ours</text>"));
  size_t circles = 0, dashes = 0;
  for (size_t at = 0; (at = text.find("<circle", at)) != std::string::npos; ++at) ++circles;
  for (size_t at = 0; (at = text.find("dasharray", at)) != std::string::npos; ++at) ++dashes;
  CHECK(circles == 4 + 2);  // and those of the legend
  CHECK(dashes == 1);       // the legend's: one point has no line
  // 0 to 800 from 352 up to 52: a value of 8 lies at 349.
  CHECK(has(text, "cy=\"349.00\""));
  // A logarithmic axis from 2 to 1000: 8 lies at 352 - 300 log(8 / 2) / log(1000 / 2).
  CHECK(has(svg(example(true)), "cy=\"285.08\""));
}

TEST_CASE("a plot without values, and one with a value of zero on a logarithmic axis, are still drawn") {
  CHECK(svg({"empty", "empty", "x", "y", true, {}}).ends_with("</svg>\n"));
  const std::string text = svg({"zero", "zero", "x", "y", true, {{"s", {{1, 0}, {2, 5}}, false}}});
  CHECK_FALSE(has(text, "nan"));
  CHECK_FALSE(has(text, "inf"));
}

TEST_CASE("a plot as a PNG has its lines and letters") {
  const datasets::Picture pixels = picture(example(false));
  const datasets::Bytes file = datasets::encode_png(pixels);
  const datasets::Picture read = datasets::decode_png(file, "plot");
  CHECK(read.width == 1720);
  CHECK(read.height == 800);
  CHECK(dark_pixels(pixels, 0.67) > 500);
  Plot unnamed = example(false);
  for (Series& series : unnamed.series) series.name.clear();
  CHECK(dark_pixels(pixels, 0.67) > dark_pixels(picture(unnamed), 0.67) + 300);
}

TEST_CASE("no two letters look alike, and none is empty") {
  std::set<Glyph> shapes;
  for (const Glyph& glyph : kGlyphShapes) {
    CHECK(std::ranges::any_of(glyph, [](uint8_t row) { return row != 0; }));
    CHECK(std::ranges::all_of(glyph, [](uint8_t row) { return row < 32; }));
    shapes.insert(glyph);
  }
  CHECK(shapes.size() == kGlyphLetters.size());
  CHECK(shapes.count(kUnknownGlyph) == 0);
}

}  // namespace cairn::comparisons
