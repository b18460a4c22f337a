#include "datasets/strokes.h"

#include <algorithm>
#include <cmath>

namespace cairn::datasets {
namespace {

constexpr double kEvenly = 0.72;  // mean strength of strokes: noise and light have more of the weak than of the strong
constexpr double kShare = 0.5;    // of the ink that is on the sheet: what noise and rules leave lies everywhere
constexpr double kSharp = 0.3;    // of the ink, how far it falls near its border: light falls slowly
constexpr double kLongest = 3.8;  // times the box's longer side: an 8 comes to 3, squares to more
constexpr double kDot = 0.06;     // of the picture's shorter side: a speck, or what is left where rules cross,
constexpr double kRound = 0.36;   // if its width is that much of its length: a digit's is less
constexpr double kThin = 0.02;    // of the box's longer side: with rules in the picture, pieces of them
constexpr double kNear = 0.005;   // of the picture's shorter side, or two pixels

bool is_outline(const Plane& amount, int64_t x, int64_t y) {
  return x == 0 || x + 1 == amount.width || y == 0 || y + 1 == amount.height || amount.at(x - 1, y) < kStrong ||
         amount.at(x + 1, y) < kStrong || amount.at(x, y - 1) < kStrong || amount.at(x, y + 1) < kStrong;
}

// How far the ink falls, on the mean, within a few pixels of the digit's outline.
double sharpness(const Plane& ink, const Digit& digit) {
  const auto near = std::max<int64_t>(2, std::llround(kNear * static_cast<double>(std::min(ink.width, ink.height))));
  Plane high = ink, low = ink;
  grow(high, near);
  shrink(low, near);
  double sum = 0;
  int64_t count = 0;
  for (int64_t y = digit.box.top; y <= digit.box.bottom; ++y)
    for (int64_t x = digit.box.left; x <= digit.box.right; ++x) {
      if (digit.amount.at(x, y) < kStrong || !is_outline(digit.amount, x, y)) continue;
      sum += high.at(x, y) - low.at(x, y);
      ++count;
    }
  return sum / static_cast<double>(std::max<int64_t>(1, count));
}

}  // namespace

Strokes measure_strokes(const Plane& amount, const Box& box) {
  int64_t area = 0, outline = 0;
  double sum = 0;
  for (int64_t y = box.top; y <= box.bottom; ++y)
    for (int64_t x = box.left; x <= box.right; ++x) {
      if (amount.at(x, y) < kStrong) continue;
      ++area;
      sum += amount.at(x, y);
      outline += is_outline(amount, x, y);
    }
  const auto pixels = static_cast<double>(std::max<int64_t>(1, area));
  const double width = 2 * pixels / static_cast<double>(std::max<int64_t>(1, outline));
  return {width, pixels / width, sum / pixels};
}

bool is_drawn(const Ink& ink, const Digit& digit, bool rules) {
  const Strokes strokes = measure_strokes(digit.amount, digit.box);
  const auto longer = static_cast<double>(digit.box.longer());
  const bool dot = longer <= kDot * static_cast<double>(std::min(ink.amount.width, ink.amount.height)) &&
                   strokes.width > kRound * longer;
  return !dot && !(rules && strokes.width < kThin * longer) && strokes.strength >= kEvenly && digit.share >= kShare &&
         strokes.length <= kLongest * longer && sharpness(ink.amount, digit) >= kSharp;
}

}  // namespace cairn::datasets
