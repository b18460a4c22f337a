// The data set `digits32`: the generated digits in colour on coloured ground, for networks that take photos of 32 x 32.
// Not here: the digits themselves (digits.h).
#pragma once

#include "datasets/digits.h"

namespace cairn::datasets {

inline constexpr int64_t kDigit32Side = 32;

DatasetInfo digits32_info();

// Draws image `index` into `pixels` (3 x 32 x 32) and returns its label. A pure function of its arguments.
uint8_t draw_digit32(uint64_t seed, DigitsSplit split, uint32_t index, std::span<uint8_t> pixels);

// The whole data set; mean and deviation are measured on what was drawn.
Dataset generate_digits32(uint64_t seed, int64_t train_count = kDigitsTrainCount,
                          int64_t test_count = kDigitsTestCount);

}  // namespace cairn::datasets
