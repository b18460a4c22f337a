#include "datasets/texts.h"

#include <algorithm>

namespace cairn::datasets {
namespace {

template <class Number>
std::span<const uint8_t> bytes_of_all(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const uint8_t*>(numbers.data()), numbers.size() * sizeof(Number)};
}

}  // namespace

std::array<std::span<const uint8_t>, 2> bytes_of(const Texts& texts) {
  return {bytes_of_all(texts.ranks), bytes_of_all(texts.begins)};
}

TextLengths measure_lengths(const Texts& texts) {
  if (texts.count() == 0) return {};
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < texts.count(); ++i) lengths.push_back(static_cast<int64_t>(texts.text(i).size()));
  std::ranges::sort(lengths);
  return {lengths.front(), lengths.back(), lengths[lengths.size() / 2],
          static_cast<double>(texts.ranks.size()) / static_cast<double>(texts.count())};
}

}  // namespace cairn::datasets
