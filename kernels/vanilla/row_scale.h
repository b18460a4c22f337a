// Rows that are normalised by their maximum and sum. Not here: the kernels (softmax.cu, losses.cu).
//
// A row belongs to kLanes neighbouring lanes: 1 where rows are narrow (the 10 classes of a digit), 32 where they are
// long. Lane l of a row's group reads columns l, l + kLanes, ...: with 32 lanes a warp reads 128 consecutive bytes, and
// the sums over the row are five exchanges between lanes, without shared memory or a barrier.
// Block: 128 threads = 128 / kLanes rows. Limited by memory (rows stay in the L1 cache between the passes), in narrow
// rows by the exponentials.
#pragma once

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/warp.h"

namespace cairn::CAIRN_VANILLA {

constexpr int kRowBlock = 128;

template <int kLanes>
unsigned row_grid(int64_t rows) {
  return grid_x(divide_up(rows, kRowBlock / kLanes));
}

template <int kLanes>
__device__ __forceinline__ int64_t row_index() {
  return static_cast<int64_t>(blockIdx.x) * (kRowBlock / kLanes) + threadIdx.x / kLanes;
}

// The row's maximum and the sum of exp(x - maximum), which cannot overflow.
struct RowScale {
  float maximum, sum;
};

template <int kLanes>
__device__ __forceinline__ RowScale row_scale(const float* x, int64_t columns, int lane) {
  float maximum = -INFINITY;
  for (int64_t c = lane; c < columns; c += kLanes) maximum = fmaxf(maximum, x[c]);
  maximum = group_max<kLanes>(maximum);
  float sum = 0.0f;
  for (int64_t c = lane; c < columns; c += kLanes) sum += expf(x[c] - maximum);
  return {maximum, group_sum<kLanes>(sum)};
}

}  // namespace cairn::CAIRN_VANILLA
