// The transforms of Winograd's minimal filtering on eight points, on vectors of channels. Not here: tiles, products
// and what becomes of the results (winograd_tiles.h, winograd.cpp, winograd_filter.cpp).
//
// A correlation of eight data with n filter values has 9 - n results, y[i] = sum over k of d[i+k] g[k]. Read backwards
// it is a product of polynomials, which its values at eight points determine (Winograd, "Arithmetic complexity of
// computations", 1980; Toom and Cook before him): 8 products instead of n (9 - n), 64 instead of the square of that in
// two dimensions. Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR 2016:
//
//   y = A^T ((G g) * (B^T d))                along one axis
//   Y = A^T ((G g G^T) * (B^T d B)) A        along both
//
// The points p are 0, 1, -1, 2, -2, 1/2, -1/2 and infinity: all factors are exact in binary but those in 1 / N(p),
// and a pair p, -p shares the sums over even and over odd powers. With N(p) = product over the other finite q of p - q:
//
//   B^T  row p:  coefficients of the product over q != p of (x - q); row infinity: of the product over all q (row 0
//                here with its sign changed, because N(0) = -1)
//   G    row p:  1, p, p^2, ... over N(p); row infinity: 0 ... 0 1
//   A^T  column p: 1, p, p^2, ...;        column infinity: 0 ... 0 1
//
// Rounding: results differ from exact ones by some 2e-6 of their root mean square, five times as much as a direct sum.
#pragma once

#include "kernels/simd/vector.h"

namespace cairn::simd::winograd {

inline constexpr int kPoints = 8;
inline constexpr int kKernel = 5;
inline constexpr int kSize = kPoints + 1 - kKernel;  // of a tile of results, and of its part of dy
inline constexpr int kProducts = kPoints * kPoints;

// 1 / N(p)
inline constexpr float kScales[kPoints] = {1.0f,      -2.0f / 9,  -2.0f / 9,  1.0f / 90,
                                           1.0f / 90, 32.0f / 45, 32.0f / 45, 1.0f};

// 2^i
constexpr float power_of_two(int i) {
  return i >= 0 ? static_cast<float>(1 << i) : 1.0f / static_cast<float>(1 << -i);
}

// B^T d
struct DataPoints {
  static constexpr int kFrom = kPoints, kTo = kPoints;
  [[gnu::always_inline]] static void apply(const Vector (&d)[kPoints], Vector (&t)[kPoints]) {
    const auto pair = [&](int at, Vector even, Vector odd) {
      t[at] = even + odd;
      t[at + 1] = even - odd;
    };
    t[0] = (d[0] - d[6]) + 5.25f * (d[4] - d[2]);
    pair(1, (d[2] + d[6]) - 4.25f * d[4], (d[1] + d[5]) - 4.25f * d[3]);
    pair(3, d[6] + 0.25f * d[2] - 1.25f * d[4], 2.0f * d[5] + 0.5f * d[1] - 2.5f * d[3]);
    pair(5, d[6] + 4.0f * d[2] - 5.0f * d[4], 0.5f * d[5] + 2.0f * d[1] - 2.5f * d[3]);
    t[7] = (d[7] - d[1]) + 5.25f * (d[3] - d[5]);
  }
};

// N G g: the factors 1 / N(p) are left to the caller (kScales).
template <int kCount>
struct FilterPoints {
  static constexpr int kFrom = kCount, kTo = kPoints;
  [[gnu::always_inline]] static void apply(const Vector (&g)[kCount], Vector (&t)[kPoints]) {
    t[0] = g[0];
    t[7] = g[kCount - 1];
#pragma GCC unroll 3
    for (int j = 0; j < 3; ++j) {  // p = 1, 2, 1/2
      const int exponent = j < 2 ? j : -1;
      Vector even = g[0], odd = power_of_two(exponent) * g[1];
#pragma GCC unroll 8
      for (int i = 2; i < kCount; ++i) (i % 2 ? odd : even) += power_of_two(i * exponent) * g[i];
      t[1 + 2 * j] = even + odd;
      t[2 + 2 * j] = even - odd;
    }
  }
};

// A^T t
template <int kCount>
struct Results {
  static constexpr int kFrom = kPoints, kTo = kCount;
  [[gnu::always_inline]] static void apply(const Vector (&t)[kPoints], Vector (&y)[kCount]) {
    const Vector even1 = t[1] + t[2], even2 = t[3] + t[4], even_half = t[5] + t[6];
    const Vector odd1 = t[1] - t[2], odd2 = t[3] - t[4], odd_half = t[5] - t[6];
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i)
      y[i] = i % 2 ? odd1 + power_of_two(i) * odd2 + power_of_two(-i) * odd_half
                   : even1 + power_of_two(i) * even2 + power_of_two(-i) * even_half;
    y[0] += t[0];
    y[kCount - 1] += t[7];
  }
};

// Transform * matrix * Transform^T: takes load(row, column) and gives store(row, column, vector).
template <class Transform, class Load, class Store>
[[gnu::always_inline]] inline void along_both_axes(const Load& load_at, const Store& store_at) {
  constexpr int kFrom = Transform::kFrom, kTo = Transform::kTo;
  Vector middle[kTo][kFrom];
  for (int column = 0; column < kFrom; ++column) {
    Vector from[kFrom], to[kTo];
#pragma GCC unroll 8
    for (int i = 0; i < kFrom; ++i) from[i] = load_at(i, column);
    Transform::apply(from, to);
#pragma GCC unroll 8
    for (int i = 0; i < kTo; ++i) middle[i][column] = to[i];
  }
  for (int row = 0; row < kTo; ++row) {
    Vector to[kTo];
    Transform::apply(middle[row], to);
#pragma GCC unroll 8
    for (int i = 0; i < kTo; ++i) store_at(row, i, to[i]);
  }
}

}  // namespace cairn::simd::winograd
