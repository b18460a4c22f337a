// A picture as it looks on its sheet, of few enough pixels to search it. Not here: what in it is ink (ink.h).
#pragma once

#include <array>

#include "datasets/picture.h"
#include "datasets/plane.h"

namespace cairn::datasets {

using Color = std::array<float, 3>;

struct Colors {
  int64_t width = 0, height = 0;
  std::vector<Color> pixels;
};

// See-through pixels are laid on a sheet of one grey (0 or 255). Above kMostPixels, squares of pixels become their
// mean.
inline constexpr int64_t kMostPixels = 1'500'000;
Colors to_colors(const Picture& picture, float sheet);

// The median colour of the outermost pixels.
Color border_color(const Colors& colors);

}  // namespace cairn::datasets
