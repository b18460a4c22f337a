// Reductions within a warp and the orderings they use. Not here: reductions over whole arrays (reductions.cu).
#pragma once

#include "kernels/runtime/simt/cuda_source.h"

namespace cairn::CAIRN_VANILLA {

constexpr unsigned kFullMask = 0xffffffffu;

// The sum of `value` over groups of kLanes neighbouring lanes (1, 2, 4, ... 32), in every lane. A butterfly: after the
// exchange with the lane at distance d, each lane holds the sum of 2 d values. Every lane adds in the same order up to
// commutation, so all get the same bits.
template <int kLanes, class T>
__device__ __forceinline__ T group_sum(T value) {
  CAIRN_UNROLL
  for (int distance = 1; distance < kLanes; distance *= 2) value += __shfl_xor_sync(kFullMask, value, distance);
  return value;
}

template <int kLanes>
__device__ __forceinline__ float group_max(float value) {
  CAIRN_UNROLL
  for (int distance = 1; distance < kLanes; distance *= 2)
    value = fmaxf(value, __shfl_xor_sync(kFullMask, value, distance));
  return value;
}

// A value and the column it came from.
struct Candidate {
  float value;
  int column;
};

// Whether a comes before b as a row's maximum: nan above all numbers (as in PyTorch), then the larger value, then the
// lower column.
__device__ __forceinline__ bool beats(Candidate a, Candidate b) {
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  if (a_nan || b_nan) return a_nan && (!b_nan || a.column < b.column);
  return a.value > b.value || (a.value == b.value && a.column < b.column);
}

// The column of the maximum of `columns` values, found by kLanes neighbouring lanes together; 0 for an empty row.
template <int kLanes>
__device__ __forceinline__ int group_argmax(const float* row, int64_t columns, int lane) {
  Candidate best{-INFINITY, INT32_MAX};
  for (int64_t c = lane; c < columns; c += kLanes) {
    const Candidate candidate{row[c], static_cast<int>(c)};
    if (beats(candidate, best)) best = candidate;
  }
  CAIRN_UNROLL
  for (int distance = 1; distance < kLanes; distance *= 2) {
    const Candidate other{__shfl_xor_sync(kFullMask, best.value, distance),
                          __shfl_xor_sync(kFullMask, best.column, distance)};
    if (beats(other, best)) best = other;
  }
  return columns > 0 ? best.column : 0;
}

// Rows up to this length are handled by one thread each: fewer than a warp's worth of columns would leave lanes idle,
// and a thread's whole row is one or two cache lines. Longer rows get a warp.
constexpr int64_t kNarrowRow = 32;

}  // namespace cairn::CAIRN_VANILLA
