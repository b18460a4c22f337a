#include "comparisons/bars.h"

#include <algorithm>

#include "benchmarks/table.h"
#include "comparisons/canvas.h"

namespace cairn::comparisons {
namespace {

constexpr double kTop = 40, kRow = 26, kThickness = 16;
constexpr double kNames = 250, kLongest = 500;  // where bars begin, and the length of the longest
constexpr Colour kMeasured{0, 90, 180}, kRecorded{150, 150, 150};

}  // namespace

std::string svg(const BarChart& chart) {
  SvgCanvas canvas(kPlotWidth, kTop + kRow * static_cast<double>(chart.bars.size()) + 10, chart.title);
  canvas.text({kNames, 20}, chart.title + ", " + chart.unit, Anchor::start, kInk);
  double largest = 0;
  for (const Bar& bar : chart.bars) largest = std::max(largest, bar.value);
  double y = kTop + kRow / 2;
  for (const Bar& bar : chart.bars) {
    const double end = kNames + (largest > 0 ? kLongest * std::max(bar.value, 0.0) / largest : 0);
    canvas.text({kNames - 8, y + 4}, bar.name, Anchor::end, kInk);
    canvas.line({kNames, y}, {end, y}, bar.recorded ? kRecorded : kMeasured, kThickness, false);
    canvas.text({end + 8, y + 4}, benchmarks::number(bar.value), Anchor::start, kInk);
    y += kRow;
  }
  return canvas.finish();
}

}  // namespace cairn::comparisons
