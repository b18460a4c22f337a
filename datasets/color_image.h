// Any picture made into an image for a network that takes colour: scaled with antialiasing, its middle cut out. Pure
// functions. Not here: files (png.h), pictures of digits (digit_image.h).
#pragma once

#include "datasets/bytes.h"
#include "datasets/png.h"
#include "framework/shape.h"

namespace cairn::datasets {

// 3 x height x width bytes, plane by plane: the picture scaled so that it just covers height x width, and its middle.
// See-through parts are laid on white. The bytes are those of Pillow 11's resize (BILINEAR) and of a cut in the middle,
// as torchvision's Resize and CenterCrop make them. UsageError: `image` is not of three channels.
Bytes prepare_color(const Picture& picture, const Shape& image);

}  // namespace cairn::datasets
