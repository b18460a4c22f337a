// Reductions that several primitives need: over a block, over an array, over the slices of a split sum. Not here:
// reductions within a row or a warp (warp.h).
//
// None uses atomics: which values are added in which order depends on the sizes alone, so the same arguments give the
// same bits.
#pragma once

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/warp.h"

namespace cairn::CAIRN_VANILLA {

// The sum of `value` over a block of whole warps; valid in the first warp. `partial`: 32 values of shared memory, not
// used by anything else before the next barrier.
template <class T>
__device__ __forceinline__ T block_sum(T value, T* partial) {
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  value = group_sum<32>(value);
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  if (warp > 0) return value;
  return group_sum<32>(lane < blockDim.x / 32 ? partial[lane] : T{0});
}

// out[0] (+)= factor * sum of x, added up in double. Writes 0 for an empty array.
void reduce_sum(Stream& stream, const float* x, int64_t count, float* out, double factor, bool accumulate);

// Where a matrix of results goes and what happens to it on the way: c[i, j] = finish(value, i, j).
struct Output {
  float* c;
  int64_t ldc;
  const float* bias;  // one value a column, or null
  bool relu, accumulate;
};

__device__ __forceinline__ void store(const Output& output, int64_t row, int64_t column, float value) {
  float* c = output.c + row * output.ldc + column;
  if (output.accumulate) value += *c;
  if (output.bias) value += output.bias[column];
  if (output.relu && value < 0.0f) value = 0.0f;  // nan stays nan
  *c = value;
}

// The second pass of a sum that was split into slices: adds partial[slice][rows][columns] over the slices, in order.
void reduce_slices(Stream& stream, int slices, int64_t rows, int64_t columns, const float* partial,
                   const Output& output);

}  // namespace cairn::CAIRN_VANILLA
