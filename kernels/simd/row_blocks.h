// Rows that ride in the lanes of a vector: kLanes rows are transposed into a small block, so that maximum, exponential,
// sum and logarithm need no work across lanes, whatever the number of columns. Not here: its users (softmax.cpp,
// losses.cpp).
#pragma once

#include "kernels/runtime/cpu/stream.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

using cpu::Stream;

// block[c][lane] = x[row + lane][c]; lanes past the last row repeat it.
inline void transpose_in(const float* x, int64_t columns, int64_t row, int64_t rows, float* block) {
  for (int lane = 0; lane < kLanes; ++lane) {
    const float* from = x + std::min(row + lane, rows - 1) * columns;
    for (int64_t c = 0; c < columns; ++c) block[c * kLanes + lane] = from[c];
  }
}

inline void transpose_out(const float* block, int64_t columns, int64_t row, int64_t rows, float* y) {
  const int64_t lanes = std::min<int64_t>(kLanes, rows - row);
  for (int64_t lane = 0; lane < lanes; ++lane)
    for (int64_t c = 0; c < columns; ++c) y[(row + lane) * columns + c] = block[c * kLanes + lane];
}

struct RowSums {
  Vector maximum, sum;
  Vector differences;  // sum of x - maximum, where it is asked for
};

// The block becomes its own softmax, lane by lane.
template <bool kDifferences = false>
RowSums softmax_block(float* block, int64_t columns) {
  Vector maximum = load(block);
  for (int64_t c = 1; c < columns; ++c) {
    const Vector x = load(block + c * kLanes);
    maximum = x > maximum ? x : maximum;
  }
  Vector sum{}, differences{};
  for (int64_t c = 0; c < columns; ++c) {
    const Vector difference = load(block + c * kLanes) - maximum;
    if constexpr (kDifferences) differences += difference;
    const Vector e = exp_nonpositive(difference);
    store(block + c * kLanes, e);
    sum += e;
  }
  const Vector inverse = 1.0f / sum;
  for (int64_t c = 0; c < columns; ++c) store(block + c * kLanes, load(block + c * kLanes) * inverse);
  return {maximum, sum, differences};
}

// body(block, row) for every kLanes rows, in parallel.
template <class Body>
void for_row_blocks(Stream& stream, int64_t rows, int64_t columns, int64_t blocks_of_scratch, const Body& body) {
  const int64_t grain = ceil_div(2048, columns * kLanes) * kLanes;
  stream.pool.parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    float* block = scratch(Scratch::row_block, blocks_of_scratch * columns * kLanes);
    for (int64_t row = begin; row < end; row += kLanes) body(block, row);
  });
}

}  // namespace cairn::simd
