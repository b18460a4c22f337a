// The images of a convolution with their border of zeros, one at a time on each thread. Not here: arithmetic.
#pragma once

#include <cstring>

#include "kernels/simd/team.h"

namespace cairn::simd {

// Row i and column j of a padded plane are row i - above and column j - left of the image, 0 where it has none.
struct PaddedImages {
  const float* data;
  int64_t channels, height, width;
  int64_t above, left;                          // may be negative: rows or columns of the image that nobody asks for
  int64_t padded_height = 0, padded_width = 0;  // as far as they are read

  // Nothing to pad: the images are read where they lie.
  bool in_place() const { return above == 0 && left == 0 && padded_height <= height && padded_width <= width; }
  int64_t pitch() const { return in_place() ? width : padded_width; }
  int64_t plane() const { return in_place() ? height * width : padded_height * padded_width; }
  int64_t size() const { return channels * plane(); }
};

// The padded image that the calling thread works on.
class PaddedImage {
 public:
  explicit PaddedImage(const PaddedImages& images)
      : images_(images), buffer_(images.in_place() ? nullptr : scratch(Scratch::image, images.size())) {
    if (buffer_) std::memset(buffer_, 0, static_cast<size_t>(images.size()) * sizeof(float));
  }

  const float* get(int64_t image) {
    const PaddedImages& p = images_;
    const float* from = p.data + image * p.channels * p.height * p.width;
    if (!buffer_) return from;
    if (image == held_) return buffer_;
    held_ = image;
    const int64_t first_row = std::max<int64_t>(0, -p.above), first_column = std::max<int64_t>(0, -p.left);
    const int64_t end_row = std::min(p.height, p.padded_height - p.above);
    const int64_t columns = std::min(p.width, p.padded_width - p.left) - first_column;
    if (columns <= 0) return buffer_;
    for (int64_t c = 0; c < p.channels; ++c)
      for (int64_t row = first_row; row < end_row; ++row)
        std::memcpy(buffer_ + (c * p.padded_height + row + p.above) * p.padded_width + p.left + first_column,
                    from + (c * p.height + row) * p.width + first_column, static_cast<size_t>(columns) * sizeof(float));
    return buffer_;
  }

 private:
  const PaddedImages& images_;
  float* buffer_;
  int64_t held_ = -1;
};

}  // namespace cairn::simd
