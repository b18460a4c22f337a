// Whether what was found is drawn: strokes of a pen, and not what light, noise or rules leave. Not here: finding it
// (digit_search.h).
#pragma once

#include "datasets/digit_search.h"

namespace cairn::datasets {

struct Strokes {
  double width = 0;     // pixels, as if all were of one width
  double length = 0;    // pixels, the same
  double strength = 0;  // mean amount of what is at least kStrong
};

// Of what is at least kStrong in the box, with at least one such pixel.
Strokes measure_strokes(const Plane& amount, const Box& box);

// For a ground with noise: in a drawing without any, what differs from the ground was drawn. `rules`: some as dark as
// the ink were taken out.
bool is_drawn(const Ink& ink, const Digit& digit, bool rules);

}  // namespace cairn::datasets
