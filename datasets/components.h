// Ink in pieces: pixels that touch, even by a corner. Not here: which pieces make a digit (digit_search.h).
#pragma once

#include "datasets/plane.h"

namespace cairn::datasets {

struct Box {
  int64_t left = 0, top = 0, right = 0, bottom = 0;  // the last column and row are inside

  int64_t width() const { return right - left + 1; }
  int64_t height() const { return bottom - top + 1; }
  int64_t longer() const { return width() > height() ? width() : height(); }
  void join(const Box& other);
};

struct Component {
  Box box;
  double strong = 0;       // sum of the amounts of at least kStrong
  bool at_border = false;  // a pixel of it is one of the picture's outermost
  std::vector<int64_t> pixels;
};

inline constexpr float kStrong = 0.5f;

// Pieces of pixels of at least `low` in which one is at least kStrong (hysteresis).
std::vector<Component> components(const Plane& amount, float low);

}  // namespace cairn::datasets
