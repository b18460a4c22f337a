// The data set `digits`: handwriting drawn in-process, for machines without a network and for tests. Not here: the
// shapes of the digits (digit_strokes.h).
#pragma once

#include <cstdint>
#include <span>

#include "datasets/registry.h"

namespace cairn::datasets {

inline constexpr int64_t kDigitSide = 28;
inline constexpr int64_t kDigitsTrainCount = 20'000;
inline constexpr int64_t kDigitsTestCount = 4'000;

DatasetInfo digits_info();

enum class DigitsSplit : uint32_t { kTrain = 0, kTest = 1 };

// Draws image `index` into `pixels` (28 x 28, 0 = background) and returns its label. A pure function of its arguments:
// the same bytes on every machine with IEEE arithmetic.
uint8_t draw_digit(uint64_t seed, DigitsSplit split, uint32_t index, std::span<uint8_t> pixels);

// The whole data set, on as many threads as the machine has; mean and deviation are measured on what was drawn.
Dataset generate_digits(uint64_t seed, int64_t train_count = kDigitsTrainCount, int64_t test_count = kDigitsTestCount);

}  // namespace cairn::datasets
