// Images of a data set side by side on one picture. Not here: PNG files (png.h), which images they are.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/png.h"

namespace cairn::datasets {

struct GridCell {
  std::span<const uint8_t> pixels;  // channels x height x width
  std::string text = {};            // below the image: digits and '>'
};

// Row by row, each image enlarged twice, on white. `image` is of one channel or three.
Picture draw_grid(const Shape& image, std::span<const GridCell> cells, int64_t columns);

// The first examples of each class, class by class: `each` of them, fewer where there are fewer.
std::vector<int32_t> first_of_each_class(const Split& split, int classes, int64_t each);

}  // namespace cairn::datasets
