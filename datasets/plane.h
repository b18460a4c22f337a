// Planes of one number a pixel, and the filters that finding ink in a picture needs. Not here: what the numbers mean.
#pragma once

#include <cstdint>
#include <vector>

namespace cairn::datasets {

struct Plane {
  int64_t width = 0, height = 0;
  std::vector<float> values;  // height x width

  float at(int64_t x, int64_t y) const { return values[static_cast<size_t>(y * width + x)]; }
};

// The value below which `share` of them are. There must be one.
float quantile(std::vector<float> values, double share);

// 1.4826 times the median distance from `middle`: the deviation of a normal distribution, whatever a minority holds.
float deviation_around(const std::vector<float>& values, float middle);

// Each pass is a mean weighted 1 2 1 along both axes; the border repeats itself.
void smooth(Plane& plane, int passes);

// Each value becomes the mean of those within `radius` of it along both axes, as far as there are any.
Plane mean_around(const Plane& plane, int64_t radius);

// Each value becomes the largest (or the smallest) of a square of side 2 radius + 1 around it.
void grow(Plane& plane, int64_t radius);
void shrink(Plane& plane, int64_t radius);

// Morphological opening: what is higher than its surroundings and fits into a square of side 2 radius + 1 is levelled;
// slopes and steps stay. The border repeats itself.
Plane opening(const Plane& plane, int64_t radius);

}  // namespace cairn::datasets
