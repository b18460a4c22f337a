#include "comparisons/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cairn::comparisons {
namespace {

constexpr double kHeight = 400;
constexpr double kLeft = 64, kRight = 560, kUpper = 52, kLower = 352, kLegend = 584;
constexpr Colour kGrid{225, 225, 225};
constexpr Colour kPalette[] = {{0, 90, 180},    {215, 95, 0},  {0, 135, 90},  {175, 50, 130},
                               {110, 110, 110}, {140, 90, 30}, {95, 75, 190}, {190, 160, 0}};

// One axis: values to units.
struct Axis {
  double low = 0, high = 1, from = 0, to = 1;
  bool logarithmic = false;
  std::vector<double> ticks;

  double scaled(double value) const { return logarithmic ? std::log10(value) : value; }
  double operator()(double value) const {
    return from + (to - from) * (scaled(value) - scaled(low)) / (scaled(high) - scaled(low));
  }
};

// 1, 2, 5, 10, ... from the last one below the range to the first one above.
std::vector<double> logarithmic_ticks(double low, double high) {
  std::vector<double> ticks;
  for (double decade = std::pow(10, std::floor(std::log10(low))); ticks.size() < 2 || ticks.back() < high; decade *= 10)
    for (const double step : {1.0, 2.0, 5.0}) {
      const double tick = decade * step;
      if (tick <= low) ticks.clear();
      if (ticks.size() < 2 || ticks.back() < high) ticks.push_back(tick);
    }
  return ticks;
}

Axis make_axis(const Plot& plot, double Point::*part, double from, double to, bool logarithmic) {
  double low = 0, high = 0;
  bool first = true;
  for (const Series& series : plot.series)
    for (const Point& point : series.points) {
      low = first ? point.*part : std::min(low, point.*part);
      high = first ? point.*part : std::max(high, point.*part);
      first = false;
    }
  Axis axis;
  axis.from = from;
  axis.to = to;
  axis.logarithmic = logarithmic && low > 0;
  axis.ticks = axis.logarithmic ? logarithmic_ticks(low, high) : round_ticks(low, high, 7);
  axis.low = axis.ticks.front();
  axis.high = axis.ticks.back();
  return axis;
}

void draw(const Plot& plot, Canvas& canvas) {
  const Axis x = make_axis(plot, &Point::x, kLeft, kRight, false);
  const Axis y = make_axis(plot, &Point::y, kLower, kUpper, plot.logarithmic);
  canvas.text({kLeft, 18}, plot.title, Anchor::start, kInk);
  canvas.text({kLeft, 40}, plot.y_label, Anchor::start, kInk);
  canvas.text({(kLeft + kRight) / 2, kLower + 38}, plot.x_label, Anchor::middle, kInk);
  for (const double tick : x.ticks) {
    canvas.line({x(tick), kUpper}, {x(tick), kLower}, kGrid, 1, false);
    canvas.text({x(tick), kLower + 18}, fmt::format("{:.6g}", tick), Anchor::middle, kInk);
  }
  for (const double tick : y.ticks) {
    canvas.line({kLeft, y(tick)}, {kRight, y(tick)}, kGrid, 1, false);
    canvas.text({kLeft - 6, y(tick) + 4}, fmt::format("{:.6g}", tick), Anchor::end, kInk);
  }
  canvas.line({kLeft, kUpper}, {kLeft, kLower}, kInk, 1, false);
  canvas.line({kLeft, kLower}, {kRight, kLower}, kInk, 1, false);
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const Series& series = plot.series[i];
    const Colour colour = kPalette[i % std::size(kPalette)];
    const double radius = series.published ? 3.5 : 2;
    for (size_t k = 0; k < series.points.size(); ++k) {
      const Point here{x(series.points[k].x), y(series.points[k].y)};
      if (k > 0) {
        const Point& before = series.points[k - 1];
        canvas.line({x(before.x), y(before.y)}, here, colour, 1.5, series.published);
      }
      canvas.dot(here, radius, colour);
    }
    const double height = kUpper + 10 + 20 * static_cast<double>(i);
    canvas.line({kLegend, height - 4}, {kLegend + 26, height - 4}, colour, 1.5, series.published);
    canvas.dot({kLegend + 13, height - 4}, radius, colour);
    canvas.text({kLegend + 34, height}, series.name, Anchor::start, kInk);
  }
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
  if (!(high > low)) {
    const double margin = std::max(std::fabs(low) * 0.1, 0.5);
    low -= margin;
    high += margin;
  }
  const double raw = (high - low) / count, decade = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * decade;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * decade >= raw) step = factor * decade;
  std::vector<double> ticks;
  const double last = std::ceil(high / step - 1e-9);
  for (double i = std::floor(low / step + 1e-9); i <= last; ++i) ticks.push_back(i * step + 0.0);
  return ticks;
}

std::string svg(const Plot& plot) {
  SvgCanvas canvas(kPlotWidth, kHeight, plot.title);
  draw(plot, canvas);
  return canvas.finish();
}

datasets::Picture picture(const Plot& plot) {
  PixelCanvas canvas(kPlotWidth, kHeight);
  draw(plot, canvas);
  return canvas.finish();
}

}  // namespace cairn::comparisons
