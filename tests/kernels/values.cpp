// The sizes that are swept, the values that arrays hold, and how far sums may be off.
#include <cmath>
#include <map>
#include <tuple>

#include "kernels/philox.h"
#include "tests/kernels/harness.h"

namespace cairn::test {

std::vector<int64_t> edge_sizes() {
  if (small_sweep()) return {0, 1, 17, 33, 64};
  return {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129};
}

std::vector<int64_t> vector_sizes() {
  std::vector<int64_t> sizes = edge_sizes();
  if (small_sweep()) return sizes.push_back(1027), sizes;
  for (int64_t larger : {255, 257, 1023, 1024, 1025, 4097, 70001}) sizes.push_back(larger);
  return sizes;
}

std::vector<std::pair<int64_t, int64_t>> matrix_sizes() {
  std::vector<std::pair<int64_t, int64_t>> sizes;
  for (int64_t size : edge_sizes()) {
    sizes.emplace_back(size, 10);
    sizes.emplace_back(33, size);
    sizes.emplace_back(size, size);
  }
  if (!small_sweep())
    for (auto larger : {std::pair<int64_t, int64_t>{1, 1027}, {3, 2049}, {1027, 1}, {2049, 3}, {1001, 10}, {257, 131}})
      sizes.push_back(larger);
  return sizes;
}

std::string shape_text(std::initializer_list<std::pair<const char*, int64_t>> parts) {
  std::string text;
  for (const auto& [name, value] : parts)
    text.append(text.empty() ? "" : " ").append(name).append("=").append(std::to_string(value));
  return text;
}

const Values& reals(int64_t count, uint32_t stream, double low, double high) {
  static std::map<std::tuple<int64_t, uint32_t, double, double>, Values> drawn;
  const auto [place, is_new] = drawn.try_emplace({count, stream, low, high});
  if (is_new) {
    place->second.resize(static_cast<size_t>(count));
    for (size_t i = 0; i < place->second.size(); ++i)
      place->second[i] = static_cast<float>(low + (high - low) * philox::uniform_at(20, stream, 0, i));
  }
  return place->second;
}

const Values& integers(int64_t count, uint32_t stream, int low, int high) {
  static std::map<std::tuple<int64_t, uint32_t, int, int>, Values> drawn;
  const auto [place, is_new] = drawn.try_emplace({count, stream, low, high});
  if (is_new) {
    place->second.resize(static_cast<size_t>(count));
    for (size_t i = 0; i < place->second.size(); ++i)
      place->second[i] =
          low + std::floor((high - low + 1.0) * static_cast<double>(philox::uniform_at(21, stream, 0, i)));
  }
  return place->second;
}

Values relu_output(int64_t count, uint32_t stream) {
  Values values = reals(count, stream);
  for (double& value : values) value = value < 0 ? 0 : value;
  return values;
}

double unit(DType real) {
  return real == DType::f64 ? 0x1p-53 : 0x1p-24;
}

double tiny(DType real) {
  return real == DType::f64 ? 0x1p-1020 : 0x1p-124;
}

double sum_bound(int64_t terms, double magnitude, DType real) {
  return 4 * (1 + std::sqrt(static_cast<double>(terms))) * unit(real) * magnitude;
}

Tolerance two_roundings(DType real, double largest) {
  return {.absolute = 4 * unit(real) * largest};
}

}  // namespace cairn::test
