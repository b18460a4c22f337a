// The micro-kernel of every product of this implementation: a tile of sums in registers. Not here: packing, blocking
// and what becomes of the sums (gemm.cpp, conv2d_*.cpp).
//
//           vectors of b        one step of the depth loads kVectors vectors of b and broadcasts kRows values of a;
//          +----+----+          each broadcast meets each vector in a fused multiply-add
//     rows |sums|sums|
//     of a +----+----+          AVX2: 6 x 2, 5 x 2 or 4 x 3 sums in 12 of 16 registers; AVX-512: twice the rows in 24
//                               of 32
//
// 12 sums in flight cover the latency of a multiply-add (4 to 5 cycles, two begun in each), and 8 loads feed 12 of
// them. Where the operands lie is a type: packed one step after the other, in place with a stride, or at offsets from a
// table (Dukhan 2019, "The Indirect Convolution Algorithm"), which lets a convolution read its image in place.
#pragma once

#include "kernels/simd/vector.h"

namespace cairn::simd {

inline constexpr int kRowFactor = kVectorBytes == 64 ? 2 : 1;  // registers: 32 of 64 bytes, 16 of less

// Rows of a: value r of the next step, in every lane.
template <int kRows>
struct RowsInPlace {  // rows[r][p * stride]
  static constexpr int kCount = kRows;
  const float* rows[kRows];
  int64_t stride;
  int64_t offset = 0;
  Vector vector(int r) const { return splat(rows[r][offset]); }
  void advance() { offset += stride; }
};
template <int kRows>
struct PackedRows {  // data[p * kRows + r]
  static constexpr int kCount = kRows;
  const float* data;
  Vector vector(int r) const { return splat(data[r]); }
  void advance() { data += kRows; }
};
template <int kRows>
struct RowsByTable {  // rows[r][table[p]]
  static constexpr int kCount = kRows;
  const float* rows[kRows];
  const int64_t* table;
  Vector vector(int r) const { return splat(rows[r][*table]); }
  void advance() { ++table; }
};
template <int kRows>
struct FactorsByTable {  // data[r][table[p] ...]: a lane of its own for each of b's
  static constexpr int kCount = kRows;
  const float* data[kRows];
  const int64_t* table;
  Vector vector(int r) const { return load(data[r] + *table); }
  void advance() { ++table; }
};

// Vectors of b: vector v of the next step.
template <int kVectors>
struct Panel {  // data[p * stride + v * kLanes ...]
  static constexpr int kCount = kVectors;
  const float* data;
  int64_t stride;
  Vector vector(int v) const { return load(data + v * kLanes); }
  void advance() { data += stride; }
};
template <int kVectors>
struct VectorsInPlace {  // data[v][p * stride ...]
  static constexpr int kCount = kVectors;
  const float* data[kVectors];
  int64_t stride;
  int64_t offset = 0;
  Vector vector(int v) const { return load(data[v] + offset); }
  void advance() { offset += stride; }
};
template <int kVectors>
struct VectorsByTable {  // data[v][table[p] ...]
  static constexpr int kCount = kVectors;
  const float* data[kVectors];
  const int64_t* table;
  Vector vector(int v) const { return load(data[v] + *table); }
  void advance() { ++table; }
};

// sums[r][v] += the sum over `depth` steps of a.vector(r) * b.vector(v), in order.
template <class A, class B>
[[gnu::always_inline]] inline void multiply_add(Vector (&sums)[A::kCount][B::kCount], A a, B b, int64_t depth) {
  for (int64_t p = 0; p < depth; ++p) {
    Vector vectors[B::kCount];
#pragma GCC unroll 16
    for (int v = 0; v < B::kCount; ++v) vectors[v] = b.vector(v);
#pragma GCC unroll 16
    for (int r = 0; r < A::kCount; ++r) {
      const Vector value = a.vector(r);
#pragma GCC unroll 16
      for (int v = 0; v < B::kCount; ++v) sums[r][v] += value * vectors[v];
    }
    a.advance();
    b.advance();
  }
}

// A tile in memory: row r, vector v at r * stride + v * kLanes.
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void load_tile(Vector (&sums)[kRows][kVectors], const float* from, int64_t stride) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[r][v] = load(from + r * stride + v * kLanes);
}
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void store_tile(float* to, int64_t stride, const Vector (&sums)[kRows][kVectors]) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) store(to + r * stride + v * kLanes, sums[r][v]);
}

}  // namespace cairn::simd
