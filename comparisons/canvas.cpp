#include "comparisons/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "comparisons/font.h"

namespace cairn::comparisons {
namespace {

constexpr double kPixelsPerUnit = 2;
constexpr int kLetterZoom = 2;         // pixels
constexpr double kDash = 6, kGap = 4;  // units

std::string hex(Colour colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : text) switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += letter;
    }
  return result;
}

SvgCanvas::SvgCanvas(double width, double height, const std::string& title)
    : out_(fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
                       "role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n<title>{2}</title>\n"
                       "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
                       width, height, escaped(title))) {}

void SvgCanvas::line(Point from, Point to, Colour colour, double width, bool dashed) {
  out_ += fmt::format(
      "<line x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\" stroke=\"{}\" stroke-width=\"{}\"{}/>\n", from.x,
      from.y, to.x, to.y, hex(colour), width, dashed ? fmt::format(" stroke-dasharray=\"{} {}\"", kDash, kGap) : "");
}

void SvgCanvas::dot(Point centre, double radius, Colour colour) {
  out_ += fmt::format("<circle cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"{}\" fill=\"{}\"/>\n", centre.x, centre.y, radius,
                      hex(colour));
}

void SvgCanvas::text(Point at, const std::string& text, Anchor anchor, Colour colour) {
  const char* const name = anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
  out_ += fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\" text-anchor=\"{}\" fill=\"{}\">{}</text>\n", at.x, at.y, name,
                      hex(colour), escaped(text));
}

PixelCanvas::PixelCanvas(double width, double height) {
  picture_.width = std::lround(width * kPixelsPerUnit);
  picture_.height = std::lround(height * kPixelsPerUnit);
  picture_.channels = 3;
  picture_.pixels.assign(static_cast<size_t>(picture_.width * picture_.height * 3), 255);
}

void PixelCanvas::blend(int64_t x, int64_t y, Colour colour, double coverage) {
  if (x < 0 || y < 0 || x >= picture_.width || y >= picture_.height || coverage <= 0) return;
  uint8_t* const pixel = &picture_.pixels[static_cast<size_t>((y * picture_.width + x) * 3)];
  const uint8_t ink[] = {colour.red, colour.green, colour.blue};
  for (int i = 0; i < 3; ++i)
    pixel[i] = static_cast<uint8_t>(std::lround(pixel[i] + (ink[i] - pixel[i]) * std::min(coverage, 1.0)));
}

// Each pixel near the line is covered by how far its centre lies within half the width.
void PixelCanvas::line(Point from, Point to, Colour colour, double width, bool dashed) {
  const Point a{from.x * kPixelsPerUnit, from.y * kPixelsPerUnit}, b{to.x * kPixelsPerUnit, to.y * kPixelsPerUnit};
  const double half = width * kPixelsPerUnit / 2, dx = b.x - a.x, dy = b.y - a.y, length = std::hypot(dx, dy);
  const auto low = [&](double p, double q) { return static_cast<int64_t>(std::floor(std::min(p, q) - half - 1)); };
  const auto high = [&](double p, double q) { return static_cast<int64_t>(std::ceil(std::max(p, q) + half + 1)); };
  for (int64_t y = low(a.y, b.y); y <= high(a.y, b.y); ++y)
    for (int64_t x = low(a.x, b.x); x <= high(a.x, b.x); ++x) {
      const double px = static_cast<double>(x) + 0.5 - a.x, py = static_cast<double>(y) + 0.5 - a.y;
      const double along = length > 0 ? std::clamp((px * dx + py * dy) / length, 0.0, length) : 0;
      if (dashed && std::fmod(along / kPixelsPerUnit, kDash + kGap) > kDash) continue;
      const double share = length > 0 ? along / length : 0;
      blend(x, y, colour, half + 0.5 - std::hypot(px - share * dx, py - share * dy));
    }
}

void PixelCanvas::dot(Point centre, double radius, Colour colour) {
  line(centre, centre, colour, 2 * radius, false);
}

void PixelCanvas::text(Point at, const std::string& text, Anchor anchor, Colour colour) {
  constexpr int64_t kAdvance = (kGlyphColumns + 1) * kLetterZoom;
  const auto width = static_cast<int64_t>(text.size()) * kAdvance - kLetterZoom;
  const int64_t left = std::lround(at.x * kPixelsPerUnit) - (anchor == Anchor::start    ? 0
                                                             : anchor == Anchor::middle ? width / 2
                                                                                        : width);
  const int64_t top = std::lround(at.y * kPixelsPerUnit) - kGlyphRows * kLetterZoom;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    const size_t place = kGlyphLetters.find(text[i]);
    const Glyph& glyph = place == std::string_view::npos ? kUnknownGlyph : kGlyphShapes[place];
    const int64_t down = kDescending.find(text[i]) == std::string_view::npos ? 0 : kDescent * kLetterZoom;
    for (int64_t y = 0; y < kGlyphRows * kLetterZoom; ++y)
      for (int64_t x = 0; x < kGlyphColumns * kLetterZoom; ++x)
        if (glyph[static_cast<size_t>(y / kLetterZoom)] >> (kGlyphColumns - 1 - x / kLetterZoom) & 1)
          blend(left + static_cast<int64_t>(i) * kAdvance + x, top + down + y, colour, 1);
  }
}

}  // namespace cairn::comparisons
