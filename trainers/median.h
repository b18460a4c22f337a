// The median of timings. Not here: taking them.
#pragma once

#include <algorithm>
#include <vector>

namespace cairn {

// The mean of the middle two for an even number of values, 0 for none.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace cairn
