// Transposing a square of floats in vector registers. Not here: loops over matrices.
#pragma once

#include <utility>

#include "kernels/simd/vector.h"

namespace cairn::simd {

template <int kStep, int... kLane>
inline Vector take_even_blocks(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, (kLane & kStep ? kLanes + kLane - kStep : kLane)...);
}
template <int kStep, int... kLane>
inline Vector take_odd_blocks(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, (kLane & kStep ? kLanes + kLane : kLane + kStep)...);
}

// rows[i][j] <-> rows[j][i] (Eklundh 1972: swap the off-diagonal blocks of size 1, 2, 4, ...).
template <int kStep = 1>
inline void transpose(Vector (&rows)[kLanes]) {
  if constexpr (kStep < kLanes) {
    constexpr std::make_integer_sequence<int, kLanes> kAll{};
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if (i & kStep) continue;
      const Vector a = rows[i], b = rows[i + kStep];
      rows[i] = take_even_blocks<kStep>(a, b, kAll);
      rows[i + kStep] = take_odd_blocks<kStep>(a, b, kAll);
    }
    transpose<2 * kStep>(rows);
  }
}

}  // namespace cairn::simd
