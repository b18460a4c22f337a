// Ruled and squared paper: straight lines from border to border, several side by side, thin. Not here: pale ones, which
// a threshold keeps out (digit_search.h).
#pragma once

#include "datasets/ink.h"

namespace cairn::datasets {

// Takes the rules out of the ink, except where a stroke lies across them, and returns how many of them were as dark as
// the ink. Up to 20 degrees from level and from upright.
int remove_rules(Ink& ink);

}  // namespace cairn::datasets
