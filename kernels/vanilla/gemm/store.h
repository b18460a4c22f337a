// Writing a thread's results, a run of N columns of c at a time. Not here: tiles (tile.h) and single elements
// (reduce.h).
#pragma once

#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {

// The biases of columns column .. column + N - 1 of c's n; zeros where there are none.
template <int N>
__device__ __forceinline__ simt::Fragment<N> load_bias(const Output& output, int column, int n) {
  simt::Fragment<N> bias;
  if (output.bias)
    bias.load_first(output.bias + column, n - column);
  else
    bias.zero();
  return bias;
}

// Writes a row's columns from `column` on into c, which is output.c or stands for it, with what Output asks for on the
// way. `vectors`: c's groups of four lie on 16-byte boundaries.
template <int N>
__device__ __forceinline__ void store_run(const simt::Fragment<N>& sum, const simt::Fragment<N>& bias,
                                          const Output& output, float* c, bool vectors, int row, int column, int n) {
  float* to = c + row * output.ldc + column;
  const int count = n - column;
  simt::Fragment<N> value = sum;
  if (output.bias) value.add(bias);
  if (output.relu) value.relu();
  if (output.accumulate) {
    simt::Fragment<N> old;
    old.load_first(to, count);
    value.add(old);
  }
  if (vectors && count >= N)
    value.store(to);
  else
    value.store_first(to, count);
}

}  // namespace cairn::CAIRN_VANILLA
