// Rows that ride in the lanes of a vector: kLanes rows are transposed into a small block, so that maximum, exponential,
// sum and logarithm need no work across lanes, whatever the number of columns. Not here: its users (softmax.cpp,
// losses.cpp, pooling.cpp).
#pragma once

#include "kernels/runtime/cpu/stream.h"
#include "kernels/simd/team.h"
#include "kernels/simd/transpose.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

using cpu::Stream;

// block[c][lane] = x[row + lane][c] for c below `columns`, where rows lie `pitch` apart; lanes past the last row repeat
// it. A last square that `columns` cuts overlaps the one before.
inline void transpose_in(const float* x, int64_t pitch, int64_t columns, int64_t row, int64_t rows, float* block) {
  const auto from = [&](int lane) { return x + std::min(row + lane, rows - 1) * pitch; };
  if (columns < kLanes) {
    for (int lane = 0; lane < kLanes; ++lane)
      for (int64_t c = 0; c < columns; ++c) block[c * kLanes + lane] = from(lane)[c];
    return;
  }
  for (int64_t next = 0; next < columns; next += kLanes) {
    const int64_t c = std::min(next, columns - kLanes);
    Vector square[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) square[lane] = load(from(lane) + c);
    transpose(square);
    for (int i = 0; i < kLanes; ++i) store(block + (c + i) * kLanes, square[i]);
  }
}

// y[row + lane][c] = block[c][lane], likewise; lanes past the last row go nowhere.
inline void transpose_out(const float* block, int64_t pitch, int64_t columns, int64_t row, int64_t rows, float* y) {
  const int lanes = static_cast<int>(std::min<int64_t>(kLanes, rows - row));
  const auto to = [&](int lane) { return y + (row + lane) * pitch; };
  if (columns < kLanes) {
    for (int lane = 0; lane < lanes; ++lane)
      for (int64_t c = 0; c < columns; ++c) to(lane)[c] = block[c * kLanes + lane];
    return;
  }
  for (int64_t next = 0; next < columns; next += kLanes) {
    const int64_t c = std::min(next, columns - kLanes);
    Vector square[kLanes];
    for (int i = 0; i < kLanes; ++i) square[i] = load(block + (c + i) * kLanes);
    transpose(square);
    for (int lane = 0; lane < lanes; ++lane) store(to(lane) + c, square[lane]);
  }
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
