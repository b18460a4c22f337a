// What a picture would be without ink: one colour, or paper under uneven light. Not here: which of the two a picture
// has, what ink is (ink.h).
#pragma once

#include <array>

#include "datasets/plane.h"
#include "datasets/png.h"

namespace cairn::datasets {

using Color = std::array<float, 3>;

// A picture as colours, of few enough pixels.
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

// A quadratic in x and y for each channel, fitted by the sum of absolute differences, which ink sways little.
std::array<Plane, 3> trend(const Colors& colors);

}  // namespace cairn::datasets
