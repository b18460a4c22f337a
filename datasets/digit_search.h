// Which of a picture's ink is the digit: not specks, not what comes in over the border, not a frame. Not here: what is
// ink (ink.h), the image that a network sees (digit_image.h).
#pragma once

#include <string>
#include <vector>

#include "datasets/components.h"
#include "datasets/ink.h"

namespace cairn::datasets {

struct Digit {
  Plane amount;  // of its ink; 0 elsewhere
  Box box;
  double share = 1;                 // with other digits, of all ink but what comes in over the border
  bool whole = true;                // it does not reach the border
  bool alone = true;                // no other digit stands beside it
  std::vector<std::string> doubts;  // why the image may not be what was meant, for people
};

// No pixels where there are specks alone.
std::optional<Digit> find_digit(const Ink& ink);

}  // namespace cairn::datasets
