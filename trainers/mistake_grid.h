// A page of images that a model got wrong, each with the right class and the predicted one below. Not here: which
// they are (predictor.h), the PNG format (datasets/png.h).
#pragma once

#include <span>

#include "datasets/png.h"
#include "trainers/predictor.h"

namespace cairn {

// At most kMistakesShown of them, in the order given, row by row. images: the set that the mistakes' indices are of.
inline constexpr size_t kMistakesShown = 64;
datasets::Picture draw_mistakes(const datasets::Split& split, std::span<const Mistake> mistakes);

}  // namespace cairn
