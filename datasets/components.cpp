#include "datasets/components.h"

#include <algorithm>

namespace cairn::datasets {

void Box::join(const Box& other) {
  left = std::min(left, other.left), right = std::max(right, other.right);
  top = std::min(top, other.top), bottom = std::max(bottom, other.bottom);
}

std::vector<Component> components(const Plane& amount, float low) {
  const int64_t width = amount.width, height = amount.height;
  std::vector<Component> found;
  std::vector<bool> seen(amount.values.size());
  for (int64_t start = 0; start < width * height; ++start) {
    if (seen[static_cast<size_t>(start)] || amount.values[static_cast<size_t>(start)] < kStrong) continue;
    Component piece;
    piece.box = {start % width, start / width, start % width, start / width};
    piece.pixels = {start};
    seen[static_cast<size_t>(start)] = true;
    for (size_t next = 0; next < piece.pixels.size(); ++next) {
      const int64_t x = piece.pixels[next] % width, y = piece.pixels[next] / width;
      const float value = amount.at(x, y);
      if (value >= kStrong) piece.strong += value;
      piece.box.join({x, y, x, y});
      piece.at_border |= x == 0 || y == 0 || x == width - 1 || y == height - 1;
      for (int64_t row = std::max<int64_t>(0, y - 1); row <= std::min(height - 1, y + 1); ++row)
        for (int64_t column = std::max<int64_t>(0, x - 1); column <= std::min(width - 1, x + 1); ++column) {
          const int64_t pixel = row * width + column;
          if (seen[static_cast<size_t>(pixel)] || amount.values[static_cast<size_t>(pixel)] < std::min(low, kStrong))
            continue;
          seen[static_cast<size_t>(pixel)] = true;
          piece.pixels.push_back(pixel);
        }
    }
    found.push_back(std::move(piece));
  }
  return found;
}

}  // namespace cairn::datasets
