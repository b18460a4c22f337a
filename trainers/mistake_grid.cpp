#include "trainers/mistake_grid.h"

#include <algorithm>
#include <string>

#include "datasets/image_grid.h"

namespace cairn {

datasets::Picture draw_mistakes(const datasets::Split& split, std::span<const Mistake> mistakes) {
  constexpr int64_t kColumns = 8;
  const Shape image = image_shape(split);
  const auto size = static_cast<size_t>(image.count());
  const std::span<const Mistake> shown = mistakes.first(std::min(mistakes.size(), kMistakesShown));
  std::vector<int32_t> rows;
  for (const Mistake& mistake : shown) rows.push_back(static_cast<int32_t>(mistake.index));
  datasets::Bytes pixels(rows.size() * size);
  read_rows(split.column(datasets::kImage), rows, std::as_writable_bytes(std::span(pixels)).data());
  std::vector<datasets::GridCell> cells;
  for (size_t i = 0; i < shown.size(); ++i)
    cells.push_back({std::span(pixels).subspan(i * size, size),
                     std::to_string(shown[i].label) + ">" + std::to_string(shown[i].predicted)});
  return draw_grid(image, cells, kColumns);
}

}  // namespace cairn
