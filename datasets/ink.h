// Where a picture differs from its ground, and how far that stands out from noise. Not here: the picture's pixels
// (colors.h), which of the ink is the digit (digit_search.h).
#pragma once

#include <optional>

#include "datasets/colors.h"

namespace cairn::datasets {

struct Ink {
  Plane amount;        // 0 = ground; 1 = the ink as it mostly is, in the direction of colour in which it differs
  float contrast = 0;  // what 1 is in levels of colour, 0 to 441
  float noise = 0;     // deviation of the ground's amounts
  float least = 0;     // amounts below this are ground
  bool calm = true;    // the border is of one colour
};

// On a ground of one colour, the border's. Nothing where nothing stands out.
std::optional<Ink> find_on_flat(const Colors& colors);

// On paper under lamps and shadows: what is narrower than about a third of the picture and stands out from its
// surroundings, as a share of the light that falls there.
std::optional<Ink> find_on_uneven(const Colors& colors);

// After something was taken out of the amounts: 1 is again the ink as it mostly is.
void rescale(Ink& ink);

}  // namespace cairn::datasets
