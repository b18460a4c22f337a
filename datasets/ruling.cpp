#include "datasets/ruling.h"

#include <algorithm>
#include <cmath>

#include "datasets/components.h"

namespace cairn::datasets {
namespace {

constexpr int64_t kCoarseSide = 320;           // pixels of the plane that is searched for lines
constexpr int64_t kLeastSide = 64;             // pixels of the smallest picture that is searched
constexpr float kLeastRule = 0.1f;             // of the ink: paler ones are in nobody's way
constexpr double kCovered = 0.75;              // of a rule, by ink
constexpr double kEndCovered = 0.5;            // of each of its ends, a tenth of it
constexpr double kLeastLength = 0.6;           // of the picture's side
constexpr double kThickest = 0.025;            // of the picture's shorter side
constexpr double kSteepest = 20, kStep = 0.5;  // degrees

// Through (middle column, `offset`), rising by `slope` a column.
struct Line {
  double offset = 0, slope = 0;
};

Plane transposed(const Plane& plane) {
  Plane result{plane.height, plane.width, {}};
  result.values.reserve(plane.values.size());
  for (int64_t x = 0; x < plane.width; ++x)
    for (int64_t y = 0; y < plane.height; ++y) result.values.push_back(plane.at(x, y));
  return result;
}

// 1 where any of the square of `side` pixels is ink, else 0.
Plane coarse(const Plane& amount, int64_t side, float least) {
  Plane result{(amount.width + side - 1) / side, (amount.height + side - 1) / side, {}};
  result.values.resize(static_cast<size_t>(result.width * result.height));
  for (int64_t y = 0; y < amount.height; ++y)
    for (int64_t x = 0; x < amount.width; ++x)
      if (amount.at(x, y) >= least) result.values[static_cast<size_t>(y / side * result.width + x / side)] = 1;
  return result;
}

// How far a line of this slope has risen at each column since the middle one.
std::vector<int64_t> rises_of(double slope, int64_t width) {
  std::vector<int64_t> rises(static_cast<size_t>(width));
  for (int64_t x = 0; x < width; ++x)
    rises[static_cast<size_t>(x)] = std::llround(slope * static_cast<double>(x - width / 2));
  return rises;
}

// Through (middle column, `offset`). Most lines fail at their ends, which are looked at first.
bool is_rule(const Plane& mask, const std::vector<int64_t>& rises, int64_t offset) {
  const auto inside = [&](int64_t rise) { return offset + rise >= 0 && offset + rise < mask.height; };
  const auto first = std::ranges::find_if(rises, inside);
  const int64_t from = first - rises.begin(), to = std::find_if_not(first, rises.end(), inside) - rises.begin();
  const int64_t length = to - from, end = std::max<int64_t>(1, length / 10);
  if (static_cast<double>(length) < kLeastLength * static_cast<double>(mask.width)) return false;
  const auto is_covered = [&](int64_t begin, int64_t stop, double share) {
    int64_t count = 0;
    for (int64_t x = begin; x < stop; ++x) count += mask.at(x, offset + rises[static_cast<size_t>(x)]) > 0;
    return static_cast<double>(count) / static_cast<double>(stop - begin) >= share;
  };
  return is_covered(from, from + end, kEndCovered) && is_covered(to - end, to, kEndCovered) &&
         is_covered(from, to, kCovered);
}

// Those of the slope that has the most. Lines next to each other are one.
std::vector<Line> find_lines(const Plane& mask) {
  std::vector<Line> best;
  size_t most = 0;
  for (double degrees = -kSteepest; degrees <= kSteepest; degrees += kStep) {
    const double slope = std::tan(degrees * 3.14159265358979 / 180);
    const auto reach = static_cast<int64_t>(std::abs(slope) * static_cast<double>(mask.width) / 2) + 1;
    const std::vector<int64_t> rises = rises_of(slope, mask.width);
    std::vector<Line> lines;
    size_t count = 0;
    int64_t first = 0;
    bool in_line = false;
    for (int64_t y = -reach; y <= mask.height + reach; ++y) {
      const bool rule = is_rule(mask, rises, y);
      count += rule;
      if (rule && !in_line) first = y;
      if (!rule && in_line) lines.push_back({static_cast<double>(first + y - 1) / 2, slope});
      in_line = rule;
    }
    if (count > most) {
      most = count;
      best = std::move(lines);
    }
  }
  return best;
}

// The pixels of ink in one column that a line passes, as [begin, end); empty where there are none.
struct Run {
  int64_t x = 0, begin = 0, end = 0;
  int64_t length() const { return end - begin; }
};

Run run_at(const Plane& amount, const Line& line, int64_t x, int64_t near, float least) {
  const auto middle = std::llround(line.offset + line.slope * static_cast<double>(x - amount.width / 2));
  for (int64_t away = 0; away <= near; ++away)
    for (const int64_t y : {middle - away, middle + away}) {
      if (y < 0 || y >= amount.height || amount.at(x, y) < least) continue;
      Run run{x, y, y + 1};
      while (run.begin > 0 && amount.at(x, run.begin - 1) >= least) --run.begin;
      while (run.end < amount.height && amount.at(x, run.end) >= least) ++run.end;
      return run;
    }
  return {x, 0, 0};
}

// As in the reading of music: a run through the rule that is as short as the rule is thick is the rule's own.
struct Erased {
  bool any = false, dark = false;
};

Erased erase(Plane& amount, const Line& line, int64_t near, float least) {
  std::vector<Run> runs;
  std::vector<float> lengths, darkest;
  for (int64_t x = 0; x < amount.width; ++x) {
    const Run run = run_at(amount, line, x, near, least);
    if (run.length() == 0) continue;
    runs.push_back(run);
    lengths.push_back(static_cast<float>(run.length()));
    darkest.push_back(0);
    for (int64_t y = run.begin; y < run.end; ++y) darkest.back() = std::max(darkest.back(), amount.at(x, y));
  }
  if (runs.empty()) return {};
  const double thickness = quantile(std::move(lengths), 0.5);
  if (thickness > std::max(4.0, kThickest * static_cast<double>(std::min(amount.width, amount.height)))) return {};
  for (const Run& run : runs) {
    if (static_cast<double>(run.length()) > 1.6 * thickness + 1) continue;
    for (int64_t y = std::max<int64_t>(0, run.begin - 1); y < std::min(amount.height, run.end + 1); ++y)
      amount.values[static_cast<size_t>(y * amount.width + run.x)] = 0;
  }
  return {true, quantile(std::move(darkest), 0.5) >= kStrong};
}

struct Removed {
  int all = 0, dark = 0;
};

Removed remove_level_rules(Plane& amount, float least) {
  const int64_t side = (std::max(amount.width, amount.height) + kCoarseSide - 1) / kCoarseSide;
  std::vector<Line> lines = find_lines(coarse(amount, side, least));
  if (lines.size() < 2) return {};
  Removed removed;
  for (Line& line : lines) {
    line.offset = (line.offset + 0.5) * static_cast<double>(side);
    const Erased erased = erase(amount, line, 2 * side, least);
    removed.all += erased.any;
    removed.dark += erased.dark;
  }
  return removed;
}

}  // namespace

int remove_rules(Ink& ink) {
  if (std::min(ink.amount.width, ink.amount.height) < kLeastSide) return 0;
  const float least = std::max(ink.least, kLeastRule);
  Plane turned = transposed(ink.amount);
  const Removed upright = remove_level_rules(turned, least), level = remove_level_rules(ink.amount, least);
  if (upright.all > 0) {
    turned = transposed(turned);
    for (size_t i = 0; i < turned.values.size(); ++i)
      if (turned.values[i] == 0) ink.amount.values[i] = 0;
  }
  if (upright.all + level.all > 0) rescale(ink);
  return upright.dark + level.dark;
}

}  // namespace cairn::datasets
