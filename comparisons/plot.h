// Line plots of curves over epochs, as SVG and as a picture for a PNG file. Not here: lines and letters (canvas.h).
#pragma once

#include <string>
#include <vector>

#include "comparisons/canvas.h"

namespace cairn::comparisons {

struct Series {
  std::string name;
  std::vector<Point> points;  // values, x rising
  bool published = false;     // drawn dashed
};

struct Plot {
  std::string name;  // of its files
  std::string title, x_label, y_label;
  bool logarithmic = false;  // y; values are then above 0
  std::vector<Series> series;
};

std::string svg(const Plot& plot);
datasets::Picture picture(const Plot& plot);

// 0, 20, 40, ...: about `count` round numbers that cover the range.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace cairn::comparisons
