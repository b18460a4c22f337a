// Any picture made into an image for a network that takes colour: scaled with antialiasing, its middle cut out. Pure
// functions. Not here: files (picture.h), pictures of digits (digit_image.h).
#pragma once

#include "datasets/bytes.h"
#include "datasets/picture.h"
#include "framework/shape.h"

namespace cairn::datasets {

// What photos become: images of this shape, out of the photo scaled to this shorter side.
struct PhotoForm {
  Shape image{3, 224, 224};
  int64_t shorter_side = 256;
};

// 3 x height x width bytes, plane by plane: the middle of the picture scaled so that its shorter side has
// `shorter_side` pixels, or, where that is 0, so that it just covers height x width. See-through parts are laid on
// white. The bytes are those of Pillow's resize (BILINEAR) and of a cut in the middle, as torchvision's Resize and
// CenterCrop make them. UsageError: `image` is not of three channels, or is larger than the scaled picture.
Bytes prepare_color(const Picture& picture, const Shape& image, int64_t shorter_side = 0);

}  // namespace cairn::datasets
