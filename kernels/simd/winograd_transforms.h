// The transforms of Winograd's minimal filtering, made from its points, on vectors of channels. Not here: tiles,
// products and what becomes of the results (winograd_tiles.h, winograd.cpp, winograd_filter.cpp).
//
// A correlation of N data with n filter values has N + 1 - n results, y[i] = sum over k of d[i+k] g[k]. Read backwards
// it is a product of polynomials, which its values at N points determine (Winograd, "Arithmetic complexity of
// computations", 1980; Toom and Cook before him): N products instead of n (N + 1 - n), and the squares of both in two
// dimensions. Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR 2016:
//
//   y = A^T ((G g) * (B^T d))                along one axis
//   Y = A^T ((G g G^T) * (B^T d B)) A        along both
//
// The points are 0, pairs p, -p and infinity. With N(p) = product over the other finite q of p - q:
//
//   B^T  row p:  coefficients of the product over q != p of (x - q); row infinity: of the product over all q
//   G    row p:  1, p, p^2, ... over N(p); row infinity: 0 ... 0 1
//   A^T  column p: 1, p, p^2, ...;        column infinity: 0 ... 0 1
//
// A pair shares the sums over even and over odd powers. The points below are exact in binary with few digits, and so
// are all factors but 1 / N(p).
//
// Tiles of 4 x 4 results for both sizes of kernel:
//
//   kernel  data   products  direct  points                         rounding, times that of a direct sum
//   3 x 3   6 x 6        36     144  0, +-3/4, +-3/2, infinity      1.4 to 2.5
//   5 x 5   8 x 8        64     400  0, +-1, +-2, +-1/2, infinity   4 to 7
//
// For 3 x 3 the usual 0, +-1, +-2, infinity round twice as coarsely: with the two pairs a factor of two apart around
// 1, large and small powers balance. (Root mean squares, results and weights' gradients of 16 to 128 channels, numbers
// uniform in -1 .. 1; the more channels, the nearer.)
#pragma once

#include <array>

#include "kernels/simd/vector.h"

namespace cairn::simd::winograd {

inline constexpr int kSize = 4;  // of a tile of results, and of its part of dy

// The pairs' positive points, for a size of kernel.
template <int kKernel>
inline constexpr std::array<float, 0> kPairsOf{};
template <>
inline constexpr std::array kPairsOf<3>{0.75f, 1.5f};
template <>
inline constexpr std::array kPairsOf<5>{1.0f, 2.0f, 0.5f};

// What a size of kernel stands for. Points are counted 0, then the pairs, positive one first, then infinity.
template <int kKernelSize>
struct Filtering {
  static constexpr int kKernel = kKernelSize;
  static constexpr auto kPairs = kPairsOf<kKernel>;
  static constexpr int kPairCount = kPairs.size(), kPoints = 2 * kPairCount + 2, kProducts = kPoints * kPoints;
  static_assert(kPoints == kKernel + kSize - 1);

  // p^exponent
  static constexpr float power(int pair, int exponent) {
    float product = 1;
    for (int i = 0; i < exponent; ++i) product *= kPairs[pair];
    return product;
  }

  // Coefficients of x^0, x^2, x^4 ... of the product of x^2 - p^2 over the pairs but `without`; kPairCount: over all.
  static constexpr std::array<float, kPairCount + 1> product(int without) {
    std::array<float, kPairCount + 1> all{1.0f};
    for (int pair = 0; pair < kPairCount; ++pair)
      for (int i = pair == without ? -1 : kPairCount; i >= 0; --i)
        all[i] = (i > 0 ? all[i - 1] : 0.0f) - power(pair, 2) * all[i];
    return all;
  }

  // 1 / N(p)
  static constexpr std::array<float, kPoints> kScales = [] {
    std::array<float, kPoints> all{1.0f / product(kPairCount)[0]};
    all[kPoints - 1] = 1.0f;
    for (int j = 0; j < kPairCount; ++j) {
      float n = 2 * power(j, 2);  // p - 0 and p - (-p)
      for (int other = 0; other < kPairCount; ++other)
        if (other != j) n *= power(j, 2) - power(other, 2);
      all[1 + 2 * j] = all[2 + 2 * j] = 1.0f / n;
    }
    return all;
  }();
};

// B^T d
template <class F>
struct DataPoints {
  static constexpr int kFrom = F::kPoints, kTo = F::kPoints;
  // sum over i < terms of coefficients[i] * d[first + 2 i], of which the last coefficient is 1
  template <size_t kCount>
  [[gnu::always_inline]] static Vector every_second(const std::array<float, kCount>& coefficients, int terms,
                                                    const Vector (&d)[kFrom], int first) {
    Vector sum = d[first + 2 * (terms - 1)];
#pragma GCC unroll 4
    for (int i = 0; i + 1 < terms; ++i) sum += coefficients[i] * d[first + 2 * i];
    return sum;
  }
  // Where points come with their inverses, as for 5 x 5, the coefficients of the product over all are the same from
  // either end, with opposite signs: two data share a multiplication.
  [[gnu::always_inline]] static Vector over_all(const Vector (&d)[kFrom], int first) {
    constexpr auto kAll = F::product(F::kPairCount);
    constexpr int kLast = F::kPairCount;
    if constexpr (kLast == 3 && kAll[0] == -1 && kAll[1] == -kAll[2])
      return (d[first + 6] - d[first]) + kAll[1] * (d[first + 2] - d[first + 4]);
    return every_second(kAll, kLast + 1, d, first);
  }
  [[gnu::always_inline]] static void apply(const Vector (&d)[kFrom], Vector (&t)[kTo]) {
    t[0] = over_all(d, 0);
    t[kTo - 1] = over_all(d, 1);
#pragma GCC unroll 4
    for (int j = 0; j < F::kPairCount; ++j) {
      const auto others = F::product(j);
      const Vector even = every_second(others, F::kPairCount, d, 2);
      const Vector odd = F::power(j, 1) * every_second(others, F::kPairCount, d, 1);
      t[1 + 2 * j] = even + odd;
      t[2 + 2 * j] = even - odd;
    }
  }
};

// N G g: the factors 1 / N(p) are left to the caller (F::kScales).
template <class F, int kValues>
struct FilterPoints {
  static constexpr int kFrom = kValues, kTo = F::kPoints;
  [[gnu::always_inline]] static void apply(const Vector (&g)[kFrom], Vector (&t)[kTo]) {
    t[0] = g[0];
    t[kTo - 1] = g[kFrom - 1];
#pragma GCC unroll 4
    for (int j = 0; j < F::kPairCount; ++j) {
      Vector even = g[0], odd = F::power(j, 1) * g[1];
#pragma GCC unroll 8
      for (int i = 2; i < kFrom; ++i) (i % 2 ? odd : even) += F::power(j, i) * g[i];
      t[1 + 2 * j] = even + odd;
      t[2 + 2 * j] = even - odd;
    }
  }
};

// A^T t
template <class F, int kValues>
struct Results {
  static constexpr int kFrom = F::kPoints, kTo = kValues;
  [[gnu::always_inline]] static void apply(const Vector (&t)[kFrom], Vector (&y)[kTo]) {
    Vector even[F::kPairCount], odd[F::kPairCount];
#pragma GCC unroll 4
    for (int j = 0; j < F::kPairCount; ++j) {
      even[j] = t[1 + 2 * j] + t[2 + 2 * j];
      odd[j] = t[1 + 2 * j] - t[2 + 2 * j];
    }
#pragma GCC unroll 8
    for (int i = 0; i < kTo; ++i) {
      const auto& sums = i % 2 ? odd : even;
      y[i] = F::power(0, i) * sums[0];
#pragma GCC unroll 4
      for (int j = 1; j < F::kPairCount; ++j) y[i] += F::power(j, i) * sums[j];
    }
    y[0] += t[0];
    y[kTo - 1] += t[kFrom - 1];
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
