// What a plot is drawn on: SVG text or the pixels of a PNG, in the same units, y downwards. Not here: what a plot
// consists of (plot.h), the letters' shapes (font.h).
#pragma once

#include <cstdint>
#include <string>

#include "datasets/png.h"

namespace cairn::comparisons {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
};

inline constexpr Colour kInk{40, 40, 40};  // letters and axes
inline constexpr double kPlotWidth = 860;  // of every drawing on a page

struct Point {
  double x = 0, y = 0;
};

enum class Anchor { start, middle, end };

class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual void line(Point from, Point to, Colour colour, double width, bool dashed) = 0;
  virtual void dot(Point centre, double radius, Colour colour) = 0;
  // at: of the anchor, on the line that letters stand on. ASCII; about 6 units a letter.
  virtual void text(Point at, const std::string& text, Anchor anchor, Colour colour) = 0;
};

class SvgCanvas final : public Canvas {
 public:
  SvgCanvas(double width, double height, const std::string& title);
  void line(Point from, Point to, Colour colour, double width, bool dashed) override;
  void dot(Point centre, double radius, Colour colour) override;
  void text(Point at, const std::string& text, Anchor anchor, Colour colour) override;
  std::string finish() const { return out_ + "</svg>\n"; }

 private:
  std::string out_;
};

class PixelCanvas final : public Canvas {
 public:
  PixelCanvas(double width, double height);  // two pixels a unit, white
  void line(Point from, Point to, Colour colour, double width, bool dashed) override;
  void dot(Point centre, double radius, Colour colour) override;
  void text(Point at, const std::string& text, Anchor anchor, Colour colour) override;
  datasets::Picture finish() const { return picture_; }

 private:
  // coverage: 0 to 1. Outside of the picture nothing happens.
  void blend(int64_t x, int64_t y, Colour colour, double coverage);
  datasets::Picture picture_;
};

// Text as it stands in HTML and SVG.
std::string escaped(const std::string& text);

}  // namespace cairn::comparisons
