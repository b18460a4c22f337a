#include "datasets/plane.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace cairn::datasets {
namespace {

constexpr float kNormalDeviations = 1.4826f;  // in median distances

// Calls visit(first, step, count) for every row, or for every column, of values.
template <class Visit>
void for_each_line(const Plane& plane, bool rows, const Visit& visit) {
  const int64_t lines = rows ? plane.height : plane.width;
  for (int64_t line = 0; line < lines; ++line)
    visit(rows ? line * plane.width : line, rows ? 1 : plane.width, rows ? plane.width : plane.height);
}

// Replaces each value by the extreme one of those within `radius` of it along the line. Whatever the radius, a few
// steps a value: `candidates` holds the places, in order, whose values no later one outdoes.
template <class Better>
void extreme_along_line(float* first, int64_t step, int64_t count, int64_t radius, const Better& better) {
  std::vector<float> line(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) line[static_cast<size_t>(i)] = first[i * step];
  std::vector<int64_t> candidates(static_cast<size_t>(count));
  size_t begin = 0, end = 0;
  int64_t entered = 0;
  for (int64_t i = 0; i < count; ++i) {
    for (; entered < std::min(count, i + radius + 1); ++entered) {
      const float value = line[static_cast<size_t>(entered)];
      while (end > begin && !better(line[static_cast<size_t>(candidates[end - 1])], value)) --end;
      candidates[end++] = entered;
    }
    while (candidates[begin] < i - radius) ++begin;
    first[i * step] = line[static_cast<size_t>(candidates[begin])];
  }
}

template <class Better>
void extreme(Plane& plane, int64_t radius, const Better& better) {
  for (const bool rows : {true, false})
    for_each_line(plane, rows, [&](int64_t first, int64_t step, int64_t count) {
      extreme_along_line(plane.values.data() + first, step, count, radius, better);
    });
}

}  // namespace

float quantile(std::vector<float> values, double share) {
  const auto place = static_cast<size_t>(share * static_cast<double>(values.size()));
  const auto at = values.begin() + static_cast<ptrdiff_t>(std::min(place, values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

float deviation_around(const std::vector<float>& values, float middle) {
  std::vector<float> distances(values.size());
  std::ranges::transform(values, distances.begin(), [&](float value) { return std::abs(value - middle); });
  return kNormalDeviations * quantile(std::move(distances), 0.5);
}

void smooth(Plane& plane, int passes) {
  for (int pass = 0; pass < passes; ++pass)
    for (const bool rows : {true, false})
      for_each_line(plane, rows, [&](int64_t first, int64_t step, int64_t count) {
        float* const line = plane.values.data() + first;
        float before = line[0];
        for (int64_t i = 0; i < count; ++i) {
          const float here = line[i * step], after = line[std::min(i + 1, count - 1) * step];
          line[i * step] = 0.25f * before + 0.5f * here + 0.25f * after;
          before = here;
        }
      });
}

Plane mean_around(const Plane& plane, int64_t radius) {
  Plane result = plane;
  std::vector<double> sums;
  for (const bool rows : {true, false})
    for_each_line(plane, rows, [&](int64_t first, int64_t step, int64_t count) {
      float* const line = result.values.data() + first;
      sums.assign(1, 0);
      for (int64_t i = 0; i < count; ++i) sums.push_back(sums.back() + line[i * step]);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t begin = std::max<int64_t>(0, i - radius), end = std::min(count, i + radius + 1);
        const double sum = sums[static_cast<size_t>(end)] - sums[static_cast<size_t>(begin)];
        line[i * step] = static_cast<float>(sum / static_cast<double>(end - begin));
      }
    });
  return result;
}

void grow(Plane& plane, int64_t radius) {
  extreme(plane, radius, std::greater<>());
}

void shrink(Plane& plane, int64_t radius) {
  extreme(plane, radius, std::less<>());
}

Plane opening(const Plane& plane, int64_t radius) {
  const int64_t width = plane.width + 2 * radius, height = plane.height + 2 * radius;
  Plane padded{width, height, {}};
  padded.values.reserve(static_cast<size_t>(width * height));
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      padded.values.push_back(plane.at(std::clamp<int64_t>(x - radius, 0, plane.width - 1),
                                       std::clamp<int64_t>(y - radius, 0, plane.height - 1)));
  shrink(padded, radius);
  grow(padded, radius);
  Plane result{plane.width, plane.height, {}};
  result.values.reserve(plane.values.size());
  for (int64_t y = 0; y < plane.height; ++y) {
    const auto row = padded.values.begin() + (y + radius) * width + radius;
    result.values.insert(result.values.end(), row, row + plane.width);
  }
  return result;
}

}  // namespace cairn::datasets
