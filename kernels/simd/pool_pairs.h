// Pools of 2 x 2 values side by side, the ones that most networks have, on vectors: one plane at a time. Not here: all
// other pools (pooling.cpp).
//
// A vector of results comes from two vectors of the row above and two of the row below:
//
//   above  a0 a1 a2 a3 | a4 a5 a6 a7     even lanes  a0 a2 a4 a6    odd lanes  a1 a3 a5 a7
//   below  b0 b1 b2 b3 | b4 b5 b6 b7     even lanes  b0 b2 b4 b6    odd lanes  b1 b3 b5 b7
//   y       y0    y1      y2    y3
//
// A row's last vector ends with the row and overlaps the one before where the row is no whole number of vectors: what
// both compute is the same. So rows of y must have `lanes` values at least.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/backend.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

// Spelled out, because g++ forgets a vector's size that depends on a template's argument.
template <int lanes>
struct Lanes;
template <>
struct Lanes<4> {
  typedef float Values __attribute__((vector_size(16)));
  typedef int32_t Ints __attribute__((vector_size(16)));
};
template <>
struct Lanes<8> {
  typedef float Values __attribute__((vector_size(32)));
  typedef int32_t Ints __attribute__((vector_size(32)));
};
template <>
struct Lanes<16> {
  typedef float Values __attribute__((vector_size(64)));
  typedef int32_t Ints __attribute__((vector_size(64)));
};

template <int lanes>
struct Pairs {
  using Values = typename Lanes<lanes>::Values;
  using Ints = typename Lanes<lanes>::Ints;

  template <class V, class T>
  static V load(const T* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  template <class V, class T>
  static void store(T* to, V v) {
    std::memcpy(to, &v, sizeof v);
  }

  // values[0], values[2] ... and values[1], values[3] ... of 2 * lanes values, and back.
  struct Split {
    Values even, odd;
  };
  static Split split(const float* from) {
    const Values low = load<Values>(from), high = load<Values>(from + lanes);
    return [&]<int... i>(std::integer_sequence<int, i...>) {
      return Split{__builtin_shufflevector(low, high, 2 * i...), __builtin_shufflevector(low, high, (2 * i + 1)...)};
    }
    (std::make_integer_sequence<int, lanes>());
  }
  static void join(float* to, Values even, Values odd) {
    [&]<int... i>(std::integer_sequence<int, i...>) {
      store(to, Values(__builtin_shufflevector(even, odd, (i / 2 + i % 2 * lanes)...)));
      store(to + lanes, Values(__builtin_shufflevector(even, odd, (lanes / 2 + i / 2 + i % 2 * lanes)...)));
    }
    (std::make_integer_sequence<int, lanes>());
  }

  // body(p, q) for vectors of results from row p, column q on, which cover a plane.
  template <class Body>
  static void for_vectors(int64_t out_height, int64_t out_width, const Body& body) {
    for (int64_t p = 0; p < out_height; ++p)
      for (int64_t q = 0; q < out_width; q += lanes) body(p, std::min<int64_t>(q, out_width - lanes));
  }

  // The places of the upper left values of the windows from row p, column q on.
  static Ints corners(int64_t in_width, int64_t p, int64_t q) {
    Ints v;
    for (int lane = 0; lane < lanes; ++lane) v[lane] = 2 * lane;
    return v + static_cast<int32_t>(2 * (p * in_width + q));
  }

  static void max_forward(const PoolShape& s, const float* x, float* y, int32_t* indices, bool relu) {
    const auto width = static_cast<int32_t>(s.in_width);
    for_vectors(s.out_height, s.out_width, [&](int64_t p, int64_t q) {
      const Split above = split(x + 2 * (p * s.in_width + q)), below = split(x + 2 * (p * s.in_width + q) + s.in_width);
      Values best = above.even;
      Ints place{};
      const auto consider = [&](Values value, int32_t offset) {
        // "Not at most" is true of nan too, and nothing takes the place of a nan: the first one stays.
        const Ints wins = ~(value <= best) & (best == best);
        best = wins ? value : best;
        place = wins ? Ints{} + offset : place;
      };
      consider(above.odd, 1);
      consider(below.even, width);
      consider(below.odd, width + 1);
      store(y + p * s.out_width + q, relu ? (best < 0.0f ? Values{} : best) : best);
      if (indices) store(indices + p * s.out_width + q, corners(s.in_width, p, q) + place);
    });
  }

  // dx of all windows; what no window covers is left to the caller. y may be null.
  static void max_backward(const PoolShape& s, const float* dy, const int32_t* indices, const float* y, float* dx) {
    const auto width = static_cast<int32_t>(s.in_width);
    for_vectors(s.out_height, s.out_width, [&](int64_t p, int64_t q) {
      const int64_t out = p * s.out_width + q;
      Values gradient = load<Values>(dy + out);
      if (y) gradient = load<Values>(y + out) > 0.0f ? gradient : Values{};
      const Ints place = load<Ints>(indices + out) - corners(s.in_width, p, q);
      const auto at = [&](int32_t offset) { return place == offset ? gradient : Values{}; };
      float* to = dx + 2 * (p * s.in_width + q);
      join(to, at(0), at(1));
      join(to + s.in_width, at(width), at(width + 1));
    });
  }

  static void average_forward(const PoolShape& s, const float* x, float* y) {
    for_vectors(s.out_height, s.out_width, [&](int64_t p, int64_t q) {
      const Split above = split(x + 2 * (p * s.in_width + q)), below = split(x + 2 * (p * s.in_width + q) + s.in_width);
      store(y + p * s.out_width + q, Values(((above.even + above.odd) + (below.even + below.odd)) * 0.25f));
    });
  }

  static void average_backward(const PoolShape& s, const float* dy, float* dx) {
    for_vectors(s.out_height, s.out_width, [&](int64_t p, int64_t q) {
      const Values share = load<Values>(dy + p * s.out_width + q) * 0.25f;
      float* to = dx + 2 * (p * s.in_width + q);
      join(to, share, share);
      join(to + s.in_width, share, share);
    });
  }

  // Zero to what lies right of the last window and below it.
  static void clear_rest(const PoolShape& s, float* dx) {
    if (2 * s.out_width < s.in_width)
      for (int64_t h = 0; h < 2 * s.out_height; ++h)
        std::fill(dx + h * s.in_width + 2 * s.out_width, dx + (h + 1) * s.in_width, 0.0f);
    std::fill(dx + 2 * s.out_height * s.in_width, dx + s.in_height * s.in_width, 0.0f);
  }
};

// Calls body.template operator()<lanes>() with as many lanes as fit a row of results; false if that is not the pool's
// form, or rows are too short for any vector.
template <class Body>
bool with_pairs(const PoolShape& s, const Body& body) {
  const bool pairs = s.window_height == 2 && s.window_width == 2 && s.stride_height == 2 && s.stride_width == 2 &&
                     s.pad_height == 0 && s.pad_width == 0 && 2 * s.out_height <= s.in_height &&
                     2 * s.out_width <= s.in_width;
  if (!pairs || s.out_width < 4) return false;
  if (s.out_width >= kLanes) {
    body.template operator()<kLanes>();
    return true;
  }
  if constexpr (kLanes > 8)
    if (s.out_width >= 8) {
      body.template operator()<8>();
      return true;
    }
  body.template operator()<4>();
  return true;
}

}  // namespace cairn::simd
