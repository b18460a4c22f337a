// Pictures and PNG files: reading with limits, writing. Not here: what is in a picture (digit_image.h).
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

// Any PNG (grey, palette, colour, with alpha, 1 to 16 bits, interlaced) as RGB and alpha. `name` is what errors call
// the file. DataError: no PNG, cut short, a damaged chunk, too large, no picture in it.
Picture decode_png(std::span<const uint8_t> file, const std::string& name);
// Also from a pipe; "-" is standard input.
Picture read_png(const std::filesystem::path& path);

// A picture as the bytes of a PNG file.
Bytes encode_png(const Picture& picture);

}  // namespace cairn::datasets
