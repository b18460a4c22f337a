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
  // *this += a * b, element by element
  __device__ __forceinline__ void fma(const Fragment& a, const Fragment& b) {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = fmaf(a.values[i], b.values[i], values[i]);
  }
  // The sum of the elements, as a tree: i and i + N / 2 first.
  __device__ __forceinline__ float sum() const {
    float tree[N];
#pragma unroll
    for (int i = 0; i < N; ++i) tree[i] = values[i];
#pragma unroll
    for (int half = N / 2; half > 0; half /= 2) {
#pragma unroll
      for (int i = 0; i < half; ++i) tree[i] += tree[i + half];
    }
    return tree[0];
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
  // Zero where `other` is not positive, nan included.
  __device__ __forceinline__ void keep_where_positive(const Fragment& other) {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = other.values[i] > 0.0f ? values[i] : 0.0f;
  }
  __device__ __forceinline__ float get(int i) const {
    return values[i];
  }
  __device__ __forceinline__ void put(int i, float value) {
    values[i] = value;
  }
  // All elements from or to 16-byte aligned memory.
  __device__ __forceinline__ void load(const float* from) {
#pragma unroll
    for (int i = 0; i < N; i += 4) {
      const float4 four = *reinterpret_cast<const float4*>(from + i);
      values[i] = four.x;
      values[i + 1] = four.y;
      values[i + 2] = four.z;
      values[i + 3] = four.w;
    }
  }
  __device__ __forceinline__ void store(float* to) const {
#pragma unroll
    for (int i = 0; i < N; i += 4)
      *reinterpret_cast<float4*>(to + i) = make_float4(values[i], values[i + 1], values[i + 2], values[i + 3]);
  }
  // All elements, wherever they lie.
  __device__ __forceinline__ void load_unaligned(const float* from) {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = from[i];
  }
  // The first `count` elements (all, if count >= N; none, if count <= 0), wherever they lie; load_first sets the others
  // to 0.
  __device__ __forceinline__ void load_first(const float* from, int count) {
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = i < count ? from[i] : 0.0f;
  }
  __device__ __forceinline__ void store_first(float* to, int count) const {
#pragma unroll
    for (int i = 0; i < N; ++i)
      if (i < count) to[i] = values[i];
  }
  // N bytes at a multiple of 4, as floats.
  __device__ __forceinline__ void load_bytes(const unsigned char* from) {
#pragma unroll
    for (int i = 0; i < N; i += 4) {
      const uchar4 four = *reinterpret_cast<const uchar4*>(from + i);
      values[i] = four.x;
      values[i + 1] = four.y;
      values[i + 2] = four.z;
      values[i + 3] = four.w;
    }
  }
};

// rows[i][j] <-> rows[j][i]: costs nothing, since the registers only change their names.
__device__ __forceinline__ void transpose(Fragment<4> (&rows)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < i; ++j) {
      const float value = rows[i].values[j];
      rows[i].values[j] = rows[j].values[i];
      rows[j].values[i] = value;
    }
  }
}
// steps[s][j] = lines[j][position + s]: eight lines, four elements of each, 16-byte aligned, turned on the way.
__device__ __forceinline__ void load_turned(Fragment<8> (&steps)[4], const float* const* lines, int position) {
#pragma unroll
  for (int j = 0; j < 8; ++j) {
    const float4 four = *reinterpret_cast<const float4*>(lines[j] + position);
    steps[0].values[j] = four.x;
    steps[1].values[j] = four.y;
    steps[2].values[j] = four.z;
    steps[3].values[j] = four.w;
  }
}
}  // namespace cuda_form

#else

inline namespace host_form {

typedef float FourFloats __attribute__((vector_size(16), may_alias));
typedef float EightFloats __attribute__((vector_size(32), may_alias));
// Not std::conditional: a vector type loses its attributes as a template argument. Aligned: as kernels may assume of
// memory (checked by UBSan), Unaligned: in memory, wherever a float can be.
template <int N>
struct PartOf {
  typedef EightFloats Type;
  typedef float Aligned __attribute__((vector_size(32), may_alias, aligned(16)));
  typedef float Unaligned __attribute__((vector_size(32), may_alias, aligned(4)));
};
template <>
struct PartOf<4> {
  typedef FourFloats Type;
  typedef FourFloats Aligned;
  typedef float Unaligned __attribute__((vector_size(16), may_alias, aligned(4)));
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
  __forceinline__ void fma(const Fragment& a, const Fragment& b) {
    for (int p = 0; p < kParts; ++p) parts[p] += a.parts[p] * b.parts[p];
  }
  __forceinline__ float sum() const {
    Part whole = parts[0];
    for (int p = 1; p < kParts; ++p) whole += parts[p];
    FourFloats four;
    if constexpr (kPartSize == 8)
      four = __builtin_shufflevector(whole, whole, 0, 1, 2, 3) + __builtin_shufflevector(whole, whole, 4, 5, 6, 7);
    else
      four = whole;
    four += __builtin_shufflevector(four, four, 2, 3, 0, 1);
    return four[0] + four[1];
  }
  __forceinline__ void add(const Fragment& other) {
    for (int p = 0; p < kParts; ++p) parts[p] += other.parts[p];
  }
  __forceinline__ void relu() {
    for (int p = 0; p < kParts; ++p) parts[p] = parts[p] < 0.0f ? Part{} : parts[p];
  }
  __forceinline__ void keep_where_positive(const Fragment& other) {
    for (int p = 0; p < kParts; ++p) parts[p] = other.parts[p] > 0.0f ? parts[p] : Part{};
  }
  __forceinline__ float get(int i) const { return parts[i / kPartSize][i % kPartSize]; }
  __forceinline__ void put(int i, float value) { parts[i / kPartSize][i % kPartSize] = value; }
  __forceinline__ void load(const float* from) {
    for (int p = 0; p < kParts; ++p) {
      parts[p] = *reinterpret_cast<const typename PartOf<N>::Aligned*>(from + p * kPartSize);
      keep_in_register(parts[p]);
    }
  }
  __forceinline__ void load_unaligned(const float* from) {
    for (int p = 0; p < kParts; ++p) {
      parts[p] = *reinterpret_cast<const typename PartOf<N>::Unaligned*>(from + p * kPartSize);
      keep_in_register(parts[p]);
    }
  }
  __forceinline__ void store(float* to) const {
    for (int p = 0; p < kParts; ++p) *reinterpret_cast<typename PartOf<N>::Aligned*>(to + p * kPartSize) = parts[p];
  }
  __forceinline__ void load_first(const float* from, int count) {
    zero();
    if (count >= N) {
      for (int p = 0; p < kParts; ++p)
        parts[p] = *reinterpret_cast<const typename PartOf<N>::Unaligned*>(from + p * kPartSize);
    } else {
      for (int i = 0; i < N; ++i)
        if (i < count) put(i, from[i]);
    }
  }
  // In pieces of 8, 4, 2 and 1.
  __forceinline__ void store_first(float* to, int count) const {
    if (count >= N) {
      for (int p = 0; p < kParts; ++p) *reinterpret_cast<typename PartOf<N>::Unaligned*>(to + p * kPartSize) = parts[p];
      return;
    }
    if (count <= 0) return;
    const Fragment all = *this;
    const float* from = reinterpret_cast<const float*>(all.parts);
    if constexpr (N > 8) store_piece<8>(from, to, count);
    if constexpr (N > 4) store_piece<4>(from, to, count);
    store_piece<2>(from, to, count);
    store_piece<1>(from, to, count);
  }
  __forceinline__ void load_bytes(const unsigned char* from) {
    typedef unsigned char Bytes __attribute__((vector_size(kPartSize), may_alias, aligned(4)));
    for (int p = 0; p < kParts; ++p)
      parts[p] = __builtin_convertvector(*reinterpret_cast<const Bytes*>(from + p * kPartSize), Part);
  }

 private:
  // The compiler must not load it again in each instruction that uses it: loads are what limits a product.
  static __forceinline__ void keep_in_register([[maybe_unused]] Part& part) {
#if defined(__x86_64__)
    asm("" : "+x"(part));
#endif
  }
  template <int size>
  static __forceinline__ void store_piece(const float*& from, float*& to, int count) {
    if (!(count & size)) return;
    for (int i = 0; i < size; ++i) to[i] = from[i];
    from += size;
    to += size;
  }
};

__forceinline__ void transpose(Fragment<4> (&rows)[4]) {
  const FourFloats a = rows[0].parts[0], b = rows[1].parts[0], c = rows[2].parts[0], d = rows[3].parts[0];
  const FourFloats ac01 = __builtin_shufflevector(a, c, 0, 4, 1, 5), bd01 = __builtin_shufflevector(b, d, 0, 4, 1, 5);
  const FourFloats ac23 = __builtin_shufflevector(a, c, 2, 6, 3, 7), bd23 = __builtin_shufflevector(b, d, 2, 6, 3, 7);
  rows[0].parts[0] = __builtin_shufflevector(ac01, bd01, 0, 4, 1, 5);
  rows[1].parts[0] = __builtin_shufflevector(ac01, bd01, 2, 6, 3, 7);
  rows[2].parts[0] = __builtin_shufflevector(ac23, bd23, 0, 4, 1, 5);
  rows[3].parts[0] = __builtin_shufflevector(ac23, bd23, 2, 6, 3, 7);
}

// Two squares of 4 x 4 at once, one in each half of the registers.
__forceinline__ void load_turned(Fragment<8> (&steps)[4], const float* const* lines, int position) {
  const auto two_lines = [&](int j) {
    const FourFloats low = *reinterpret_cast<const FourFloats*>(lines[j] + position);
    const FourFloats high = *reinterpret_cast<const FourFloats*>(lines[j + 4] + position);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  };
  const auto low_pairs = [](EightFloats u, EightFloats v) {
    return __builtin_shufflevector(u, v, 0, 8, 1, 9, 4, 12, 5, 13);
  };
  const auto high_pairs = [](EightFloats u, EightFloats v) {
    return __builtin_shufflevector(u, v, 2, 10, 3, 11, 6, 14, 7, 15);
  };
  const EightFloats a = two_lines(0), b = two_lines(1), c = two_lines(2), d = two_lines(3);
  const EightFloats ac01 = low_pairs(a, c), bd01 = low_pairs(b, d), ac23 = high_pairs(a, c), bd23 = high_pairs(b, d);
  steps[0].parts[0] = low_pairs(ac01, bd01);
  steps[1].parts[0] = high_pairs(ac01, bd01);
  steps[2].parts[0] = low_pairs(ac23, bd23);
  steps[3].parts[0] = high_pairs(ac23, bd23);
}

}  // namespace host_form

#endif

}  // namespace cairn::simt
