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

Plane opening(const Plane& plane, int64_t radius) {
  Plane result = plane;
  extreme(result, radius, std::less<>());
  extreme(result, radius, std::greater<>());
  return result;
}

}  // namespace cairn::datasets
