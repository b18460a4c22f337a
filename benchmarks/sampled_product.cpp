#include "benchmarks/sampled_product.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cairn::benchmarks {
namespace {

constexpr int64_t kLines = 16;

std::vector<float> drawn(int64_t count, const Generator& values) {
  std::vector<float> result(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) result[static_cast<size_t>(i)] = static_cast<float>(values(i));
  return result;
}

}  // namespace

std::vector<int64_t> sampled_lines(int64_t n) {
  std::vector<int64_t> lines = {0, n - 1};
  constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15u;
  for (uint64_t i = 1; i + 1 < kLines; ++i)
    lines.push_back(static_cast<int64_t>((i * kGoldenRatio >> 33) % static_cast<uint64_t>(n)));
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

std::vector<double> sampled_square(int64_t n, const Generator& a, const Generator& b) {
  const std::vector<float> left = drawn(n * n, a), right = drawn(n * n, b);
  const std::vector<int64_t> lines = sampled_lines(n);
  const size_t count = lines.size(), side = static_cast<size_t>(n);
  // Both sums run along rows of what is stored: those of whole rows of c over rows of b, and those of columns of c for
  // one row of a at a time.
  std::vector<double> rows(count * side, 0), columns(side * count, 0);
  for (size_t k = 0; k < side; ++k) {
    for (size_t line = 0; line < count; ++line) {
      const double factor = left[static_cast<size_t>(lines[line]) * side + k];
      for (size_t j = 0; j < side; ++j) rows[line * side + j] += factor * right[k * side + j];
    }
  }
  std::vector<double> stored_columns(side * count);
  for (size_t k = 0; k < side; ++k)
    for (size_t line = 0; line < count; ++line)
      stored_columns[k * count + line] = right[k * side + static_cast<size_t>(lines[line])];
  for (size_t i = 0; i < side; ++i)
    for (size_t k = 0; k < side; ++k) {
      const double factor = left[i * side + k];
      for (size_t line = 0; line < count; ++line)
        columns[i * count + line] += factor * stored_columns[k * count + line];
    }
  std::vector<double> result(side * side, std::numeric_limits<double>::quiet_NaN());
  for (size_t line = 0; line < count; ++line) {
    const auto at = static_cast<size_t>(lines[line]);
    for (size_t i = 0; i < side; ++i) result[i * side + at] = columns[i * count + line];
    std::copy_n(&rows[line * side], side, &result[at * side]);
  }
  return result;
}

}  // namespace cairn::benchmarks
