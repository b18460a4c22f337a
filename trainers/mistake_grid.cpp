#include "trainers/mistake_grid.h"

#include <algorithm>
#include <string>

#include "datasets/image_grid.h"

namespace cairn {

datasets::Picture draw_mistakes(const datasets::Split& split, std::span<const Mistake> mistakes) {
  constexpr int64_t kColumns = 8;
  const Shape image = image_shape(split);
  const auto size = static_cast<size_t>(image.count());
  std::vector<datasets::GridCell> cells;
  for (const Mistake& mistake : mistakes.first(std::min(mistakes.size(), kMistakesShown)))
    cells.push_back({images(split).subspan(static_cast<size_t>(mistake.index) * size, size),
                     std::to_string(mistake.label) + ">" + std::to_string(mistake.predicted)});
  return draw_grid(image, cells, kColumns);
}

}  // namespace cairn
