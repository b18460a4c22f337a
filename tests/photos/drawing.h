// Digits as distances, so that a pen of any width can ink them at any size: from the strokes of the generated digits,
// or from an image such as MNIST's. Not here: paper, light and camera (photo.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cairn::photos {

// A square around the digit, wider than its box by kMargin on every side; one unit is the digit's height (or its width,
// where that is larger). Up to `pen` from the line is ink.
struct Drawing {
  static constexpr int kSide = 224;
  static constexpr float kMargin = 0.3f;
  std::vector<float> distance;  // kSide x kSide, in units; below 0 inside of an outline

  // (0, 0) to (1, 1) is the digit's box, or the middle of it where the digit is narrow. Far away outside of the square.
  float at(float x, float y) const;
};

// Form `form` (modulo the number of forms) of a digit: distances from the middle of the strokes.
Drawing draw_strokes(int digit, uint32_t form, float width);

// An image of 28 x 28, 0 = ground: enlarged smoothly, distances from its outline at half ink.
Drawing draw_image(std::span<const uint8_t> pixels);

}  // namespace cairn::photos
