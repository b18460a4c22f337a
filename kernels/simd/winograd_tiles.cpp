// Turning images to channels innermost, with what lies around them. Not here: the tiles (winograd_tiles.h).
#include "kernels/simd/winograd_tiles.h"

#include "kernels/simd/transpose.h"

namespace cairn::simd::winograd {

void turn_channels_innermost(const Planes& from, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns,
                             float* to) {
  const int64_t plane = from.height * from.width;
  const int64_t left = std::clamp<int64_t>(-first_column, 0, columns);                // columns before the image
  const int64_t end = std::clamp<int64_t>(from.width - first_column, left, columns);  // and up to its end
  for (int64_t c = 0; c < from.channels; c += kLanes) {
    const int64_t channels = std::min<int64_t>(kLanes, from.channels - c);
    for (int64_t row = first_row; row < first_row + rows; ++row, to += columns * kLanes) {
      if (row < 0 || row >= from.height || end == left) {
        std::fill(to, to + columns * kLanes, 0.0f);
        continue;
      }
      std::fill(to, to + left * kLanes, 0.0f);
      std::fill(to + end * kLanes, to + columns * kLanes, 0.0f);
      const float* line = from.data + c * plane + row * from.width + first_column;
      for (int64_t next = left; next < end; next += kLanes) {
        // A row's last vector overlaps the one before where it can: loading a part costs more.
        const int64_t column = end - left >= kLanes ? std::min(next, end - kLanes) : next;
        const int64_t lanes = std::min<int64_t>(kLanes, end - column);
        Vector block[kLanes] = {};
        for (int64_t i = 0; i < channels; ++i) block[i] = load_part(line + i * plane + column, lanes);
        transpose(block);
        for (int64_t i = 0; i < lanes; ++i) store(to + (column + i) * kLanes, block[i]);
      }
    }
  }
}

}  // namespace cairn::simd::winograd
