// Fragment<N>: N floats that live in registers, the row of a thread's tile in a matrix product. Not here: any tiling.
// Included by cuda_source.h only.
#pragma once

namespace cairn::simt {

#if defined(__CUDACC__)

// float[N] with every loop unrolled: fma is N FFMA instructions.
inline namespace cuda_form {
template <int N>
struct Fragment {
  static_assert(N == 4 || N == 8 || N == 16);
  float values[N];

  __device__ __forceinline__ void set(float value) {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = value;
  }
  __device__ __forceinline__ void zero() {
    set(0.0f);
  }
  // *this += scale * other
  __device__ __forceinline__ void fma(float scale, const Fragment& other) {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = fmaf(scale, other.values[i], values[i]);
  }
  __device__ __forceinline__ void add(const Fragment& other) {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] += other.values[i];
  }
  // max(0, .); nan stays nan
  __device__ __forceinline__ void relu() {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = values[i] < 0.0f ? 0.0f : values[i];
  }
  __device__ __forceinline__ float get(int i) const {
    return values[i];
  }
  __device__ __forceinline__ void put(int i, float value) {
    values[i] = value;
  }
  // Elements i..i+3 from or to 16-byte aligned memory; i is a multiple of 4.
  __device__ __forceinline__ void load4(int i, const float* from) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    values[i] = four.x;
    values[i + 1] = four.y;
    values[i + 2] = four.z;
    values[i + 3] = four.w;
  }
  __device__ __forceinline__ void store4(int i, float* to) const {
    *reinterpret_cast<float4*>(to) = make_float4(values[i], values[i + 1], values[i + 2], values[i + 3]);
  }
  // Elements 0..3 from `low`, 4..7 from `high`: the split of a row that is free of bank conflicts.
  __device__ __forceinline__ void load2x4(const float* low, const float* high) {
    static_assert(N == 8);
    load4(0, low);
    load4(4, high);
  }
  // The same for any N: group g of four elements from `from + g * distance`.
  __device__ __forceinline__ void load_groups(const float* from, int distance) {
#pragma unroll
    for (int i = 0; i < N; i += 4) load4(i, from + i / 4 * distance);
  }
};
}  // namespace cuda_form

#else

inline namespace host_form {

typedef float FourFloats __attribute__((vector_size(16), may_alias));
typedef float EightFloats __attribute__((vector_size(32), may_alias));
// Not std::conditional: a vector type loses its attributes as a template argument.
template <int N>
struct PartOf {
  typedef EightFloats Type;
};
template <>
struct PartOf<4> {
  typedef FourFloats Type;
};

// One vector register for 4 or 8 floats, two for 16: fma is one instruction for each.
template <int N>
struct Fragment {
  static_assert(N == 4 || N == 8 || N == 16);
  using Part = typename PartOf<N>::Type;
  static constexpr int kPartSize = N == 4 ? 4 : 8;
  static constexpr int kParts = N / kPartSize;
  Part parts[kParts];

  __forceinline__ void set(float value) {
    for (int p = 0; p < kParts; ++p) parts[p] = Part{} + value;
  }
  __forceinline__ void zero() {
    for (int p = 0; p < kParts; ++p) parts[p] = Part{};
  }
  __forceinline__ void fma(float scale, const Fragment& other) {
    for (int p = 0; p < kParts; ++p) parts[p] += scale * other.parts[p];
  }
  __forceinline__ void add(const Fragment& other) {
    for (int p = 0; p < kParts; ++p) parts[p] += other.parts[p];
  }
  __forceinline__ void relu() {
    for (int p = 0; p < kParts; ++p) parts[p] = parts[p] < 0.0f ? Part{} : parts[p];
  }
  __forceinline__ float get(int i) const { return parts[i / kPartSize][i % kPartSize]; }
  __forceinline__ void put(int i, float value) { parts[i / kPartSize][i % kPartSize] = value; }
  __forceinline__ void load4(int i, const float* from) { reinterpret_cast<FourFloats*>(parts)[i / 4] = four(from); }
  __forceinline__ void store4(int i, float* to) const {
    *reinterpret_cast<FourFloats*>(to) = reinterpret_cast<const FourFloats*>(parts)[i / 4];
  }
  __forceinline__ void load2x4(const float* low, const float* high) {
    static_assert(N == 8);
    parts[0] = join(low, high);
  }
  __forceinline__ void load_groups(const float* from, int distance) {
    if constexpr (N == 4) {
      parts[0] = four(from);
    } else {
      for (int p = 0; p < kParts; ++p) parts[p] = join(from + 2 * p * distance, from + (2 * p + 1) * distance);
    }
  }

 private:
  static __forceinline__ FourFloats four(const float* from) { return *reinterpret_cast<const FourFloats*>(from); }
  // A shuffle, because g++ sends a vector that is filled half by half through the stack.
  static __forceinline__ EightFloats join(const float* low, const float* high) {
    return __builtin_shufflevector(four(low), four(high), 0, 1, 2, 3, 4, 5, 6, 7);
  }
};

}  // namespace host_form

#endif

}  // namespace cairn::simt
