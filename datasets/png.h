// PNG files: reading with limits, writing. Not here: telling them from other pictures (picture.h).
#pragma once

#include <span>
#include <string>

#include "datasets/picture.h"

namespace cairn::datasets {

// Any PNG (grey, palette, colour, with alpha, 1 to 16 bits, interlaced) as RGB and alpha, turned as its EXIF data
// say. `name` is what errors call the file. DataError: no PNG, cut short, a damaged chunk, too large, no picture in it.
Picture decode_png(std::span<const uint8_t> file, const std::string& name);

// A picture as the bytes of a PNG file.
Bytes encode_png(const Picture& picture);

}  // namespace cairn::datasets
