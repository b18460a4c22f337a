// A decoded picture, and picture files of either kind: told apart by their first bytes, read with limits. Not here: the
// formats (png.h, jpeg.h), what is in a picture (digit_image.h, color_image.h).
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "datasets/bytes.h"

namespace cairn::datasets {

struct Picture {
  int64_t width = 0, height = 0, channels = 0;  // channels: 1 grey, 3 RGB, 4 RGB and alpha (255 = opaque)
  Bytes pixels;                                 // height x width x channels, 8-bit sRGB
};

// A larger picture is refused by its header, before anything of its size is allocated.
inline constexpr int64_t kMaxPicturePixels = int64_t{1} << 25;
// DataError: it is larger than that, or has no pixels.
void check_picture_size(int64_t width, int64_t height, const std::string& name);

// Any PNG or JPEG, turned as its EXIF data say. `name` is what errors call the file. DataError: something else, cut
// short, damaged, too large, no picture in it.
Picture decode_picture(std::span<const uint8_t> file, const std::string& name);
// Also from a pipe; "-" is standard input.
Picture read_picture(const std::filesystem::path& path);

}  // namespace cairn::datasets
