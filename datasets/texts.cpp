#include "datasets/texts.h"

#include <algorithm>

namespace cairn::datasets {

TextLengths measure_lengths(const Texts& texts) {
  if (texts.count() == 0) return {};
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < texts.count(); ++i) lengths.push_back(static_cast<int64_t>(texts.text(i).size()));
  std::ranges::sort(lengths);
  return {lengths.front(), lengths.back(), lengths[lengths.size() / 2],
          static_cast<double>(texts.ranks.size()) / static_cast<double>(texts.count())};
}

}  // namespace cairn::datasets
