// JPEG files: reading with limits. Not here: telling them from other pictures (picture.h).
#pragma once

#include <span>
#include <string>

#include "datasets/picture.h"

namespace cairn::datasets {

// A file of more scans is refused: each costs time for all pixels, and a few bytes. Programs write up to about 20.
inline constexpr int kMaxJpegScans = 100;

// Grey or RGB: sequential or progressive, by Huffman codes, 8 bits. CMYK and YCCK are taken for inverted,
// as Adobe's programs write them, and become RGB as Pillow makes it; the pixels are those of its decoder. EXIF's
// orientation is applied. DataError: no JPEG, cut short, damaged, too large, too many scans, 2 channels, arithmetic
// coding.
Picture decode_jpeg(std::span<const uint8_t> file, const std::string& name);

}  // namespace cairn::datasets
