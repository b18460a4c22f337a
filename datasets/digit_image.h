// A picture of one handwritten digit made into an image like MNIST's: where the ink is, cut out, scaled and centred.
// Pure functions. Not here: files (picture.h).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "datasets/digits.h"
#include "datasets/picture.h"

namespace cairn::datasets {

// Row-major, 0 = ground, 255 = full ink.
using DigitPixels = std::array<uint8_t, static_cast<size_t>(kDigitSide* kDigitSide)>;

struct PreparedDigit {
  DigitPixels pixels;
  std::vector<std::string> doubts;  // what may be wrong with the picture, each for a line; empty: nothing seen
};

// The digit's box scaled so that its longer side is 20, its centre of mass in the middle. `name` is what errors call
// the picture. DataError: it is blank, or holds more than one digit.
PreparedDigit prepare_digit(const Picture& picture, const std::string& name);

}  // namespace cairn::datasets
