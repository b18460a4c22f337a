// A picture of one handwritten digit made into an image like MNIST's: where the ink is, cut out, scaled and centred.
// Pure functions. Not here: files (png.h).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "datasets/digits.h"
#include "datasets/png.h"

namespace cairn::datasets {

// Row-major, 0 = ground, 255 = full ink.
using DigitPixels = std::array<uint8_t, static_cast<size_t>(kDigitSide* kDigitSide)>;

// How much ink lies on each pixel: 0 = ground, 1 = the strongest.
struct Ink {
  int64_t width = 0, height = 0;
  std::vector<float> amount;  // height x width
};

// The ground is the median colour of the border. Ink is what differs from it in the direction of the picture's
// strongest differences, be they darker, lighter or of another hue, by more than the border's own noise. See-through
// pictures are laid on white or on black, whichever shows less and stronger ink on a calmer ground. `name` is what
// errors call the picture. DataError: blank, nothing stands out.
Ink find_ink(const Picture& picture, const std::string& name);

// MNIST's recipe (LeCun, Cortes, Burges, "The MNIST database"): the box of the ink scaled, with its aspect ratio and
// antialiasing, so that its longer side is 20, then placed in 28 x 28 with its centre of mass in the middle (to the
// nearest pixel). The strongest pixel becomes 255. The ink must not be empty.
DigitPixels center_digit(const Ink& ink);

// Both.
DigitPixels prepare_digit(const Picture& picture, const std::string& name);

}  // namespace cairn::datasets
