// JPEG files that tests make, of every kind that libjpeg writes.
#pragma once

#include <string>

#include "datasets/picture.h"

namespace cairn::datasets {

struct JpegForm {
  int quality = 90;
  int sampling = 1;  // pixels of a colour value, in each direction
  bool progressive = false;
  int passes = 0;  // over each coefficient, in a scan of its own, of a grey picture; 0: as few scans as usual
  bool ycck = false;
};
// Of 1, 3 or 4 channels; four are CMYK as such files hold it, inverted.
Bytes make_jpeg(const Picture& picture, const JpegForm& form = {});

// The file with a segment behind its first marker.
Bytes with_segment(const Bytes& jpeg, uint8_t marker, const Bytes& content);
// EXIF data that say this and nothing else.
Bytes exif_data(int orientation, bool little_endian = true);

// Smooth, and different in every channel and from edge to edge, so that little is lost.
Picture smooth_picture(int64_t width, int64_t height, int64_t channels);

}  // namespace cairn::datasets
