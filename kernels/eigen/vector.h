// Short float vectors as wide as the target's registers, in the compilers' vector extensions, with the exponential and
// the logarithm on them. Not here: loops over arrays.
#pragma once

#include <cstdint>
#include <cstring>

namespace cairn::eigen {

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

// max(0, x) that keeps nan
inline Vector relu(Vector x) {
  return x < 0.0f ? Vector{} : x;
}
inline float relu(float x) {
  return x < 0.0f ? 0.0f : x;
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

}  // namespace cairn::eigen
