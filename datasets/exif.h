// How a camera was held: the orientation in a picture's EXIF data, and turning the picture by it. Not here: where a
// format keeps these data (jpeg.h, png.h).
#pragma once

#include <span>

#include "datasets/picture.h"

namespace cairn::datasets {

// `tiff` begins with the byte order (TIFF 6.0, section 2). 1 to 8; 1, upright, where they say nothing or are damaged.
int exif_orientation(std::span<const uint8_t> tiff);
// The picture as it was seen: rows and columns change places from 5 on.
Picture upright(Picture picture, int orientation);

}  // namespace cairn::datasets
