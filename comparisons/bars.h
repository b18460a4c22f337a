// Horizontal bars, one a value, as SVG. Not here: lines and letters (canvas.h), curves (plot.h).
#pragma once

#include <string>
#include <vector>

namespace cairn::comparisons {

struct Bar {
  std::string name;
  double value = 0;
  bool recorded = false;  // drawn in grey: not measured here
};

struct BarChart {
  std::string name;  // of its file
  std::string title, unit;
  std::vector<Bar> bars;
};

std::string svg(const BarChart& chart);

}  // namespace cairn::comparisons
