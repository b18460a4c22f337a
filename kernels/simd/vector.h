// Short float vectors as wide as the target's registers, in the compilers' vector extensions, with the exponential,
// the logarithm, the logistic function and the hyperbolic tangent on them. Not here: loops over arrays.
#pragma once

#include <cstdint>
#include <cstring>

namespace cairn::simd {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif
inline constexpr int kLanes = kVectorBytes / 4;

using Vector __attribute__((vector_size(kVectorBytes))) = float;
using IntVector __attribute__((vector_size(kVectorBytes))) = int32_t;

inline Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
inline void store(float* to, Vector v) {
  std::memcpy(to, &v, sizeof v);
}
inline Vector splat(float value) {
  return value - Vector{};
}

// The first `count` lanes; the others are 0, or not stored.
inline Vector load_part(const float* from, int64_t count) {
  if (count == kLanes) return load(from);
  Vector v{};
  std::memcpy(&v, from, static_cast<size_t>(count) * sizeof(float));
  return v;
}
inline void store_part(float* to, Vector v, int64_t count) {
  if (count == kLanes) return store(to, v);
  float lanes[kLanes];  // in halves, quarters, ... of a size known when compiling: a call of memcpy costs more
  store(lanes, v);
  const float* from = lanes;
#pragma GCC unroll 4
  for (int size = kLanes / 2; size > 0; size /= 2) {
    if (!(count & size)) continue;
    std::memcpy(to, from, static_cast<size_t>(size) * sizeof(float));
    to += size;
    from += size;
  }
}

// max(0, x) that keeps nan
inline Vector relu(Vector x) {
  return x < 0.0f ? Vector{} : x;
}
inline float relu(float x) {
  return x < 0.0f ? 0.0f : x;
}

// One instruction: the compilers see through the loop.
inline Vector square_root(Vector x) {
  float lanes[kLanes];
  store(lanes, x);
  for (float& lane : lanes) lane = __builtin_sqrtf(lane);
  return load(lanes);
}

inline Vector from_bits(IntVector bits) {
  return reinterpret_cast<Vector>(bits);
}
inline IntVector to_bits(Vector v) {
  return reinterpret_cast<IntVector>(v);
}

// e^x for x <= 0 (softmax subtracts the maximum first); below the smallest normal number the result is 0; nan stays
// nan. x = n ln 2 + r with |r| <= ln 2 / 2, e^r by its Taylor series to degree 7 (truncation 5e-9), n into the
// exponent.
inline Vector exp_nonpositive(Vector x) {
  constexpr float kRound = 12582912.0f;                                // 1.5 * 2^23: adding it rounds to an integer
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // their sum is ln 2; the first has 9 bits
  const Vector clamped = x < -87.0f ? splat(-87.0f) : x;
  const Vector shifted = clamped * 1.44269504f + kRound;
  const Vector n = shifted - kRound;
  const Vector r = (clamped - n * kLn2High) - n * kLn2Low;
  Vector p = splat(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const IntVector exponent = (to_bits(shifted) - to_bits(splat(kRound)) + 127) << 23;
  const Vector result = p * from_bits(exponent);
  return x < -87.0f ? Vector{} : result;
}

// 1 / (1 + e^-x) for every x, by the exponential of -|x|, so that neither end loses precision: within three units in
// the last place; below x = -87 the result is 0; nan stays nan.
inline Vector sigmoid(Vector x) {
  const Vector power = exp_nonpositive(from_bits(to_bits(x) | INT32_MIN));
  return (x < 0.0f ? power : splat(1.0f)) / (1.0f + power);
}

// ln x for normal positive x; nan stays nan.
// x = 2^e m with m in [sqrt 1/2, sqrt 2), s = (m - 1) / (m + 1), ln m = 2 (s + s^3/3 + s^5/5 + ...), |s| <= 0.172.
inline Vector log_positive(Vector x) {
  constexpr int32_t kSqrtHalfBits = 0x3f3504f3;
  const IntVector offset = to_bits(x) - kSqrtHalfBits;
  const Vector e = __builtin_convertvector(offset >> 23, Vector);
  const Vector m = from_bits((offset & 0x007fffff) + kSqrtHalfBits);
  const Vector s = (m - 1.0f) / (m + 1.0f);
  const Vector s2 = s * s;
  Vector p = splat(2.0f / 11);
  p = p * s2 + 2.0f / 9;
  p = p * s2 + 2.0f / 7;
  p = p * s2 + 2.0f / 5;
  p = p * s2 + 2.0f / 3;
  const Vector result = e * 0.693147181f + (p * s2 * s + 2.0f * s);
  return x == x ? result : x;
}

// tanh x for every x: inf gives 1, nan and the sign of 0 stay. tanh |x| = m / (m + 2) with m = e^t - 1, t = 2 |x|,
// which keeps its relative precision near 0, where e^t itself is all 1. With t = n ln 2 + r as in exp_nonpositive, m =
// 2^n (e^r - 1) + (2^n - 1), where e^r - 1 is its Taylor series to degree 8 (truncation 6e-10 of r). From |x| = 9.02 on
// the result rounds to 1, so that t may stop at 20.
inline Vector tanh_any(Vector x) {
  constexpr float kRound = 12582912.0f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  const IntVector sign = to_bits(x) & INT32_MIN;
  const Vector doubled = 2.0f * from_bits(to_bits(x) ^ sign);
  const Vector t = doubled > 20.0f ? splat(20.0f) : doubled;
  const Vector shifted = t * 1.44269504f + kRound;
  const Vector n = shifted - kRound;
  const Vector r = (t - n * kLn2High) - n * kLn2Low;
  Vector p = splat(1.0f / 40320);
  p = p * r + 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * (r * r) + r;
  const Vector power = from_bits((to_bits(shifted) - to_bits(splat(kRound)) + 127) << 23);
  const Vector m = p * power + (power - 1.0f);
  return from_bits(to_bits(m / (m + 2.0f)) | sign);
}

}  // namespace cairn::simd
