// What the rungs of the gemm ladder share on the host side: the problem they are given and their launchers. Not here:
// the device code that tiles share (tile.h) and the choice of a rung (gemm.cu).
#pragma once

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/reduce.h"

namespace cairn::CAIRN_VANILLA {

// A float matrix as it lies in memory: `lines` runs of `length` consecutive floats, `stride` apart. Rows are lines when
// the matrix is stored as it is used, columns are when it is transposed.
struct FloatLines {
  const float* data;
  int64_t stride;
  int lines, length;
  bool vectors;  // every fourth float of a line lies on a 16-byte boundary
};

// A matrix of bytes behind an index, one sample a line, read as bytes * scale + shift.
struct ByteLines {
  const uint8_t* bytes;
  const int32_t* index;  // or null: line i is sample i
  int64_t stride;
  int lines, length;
  float scale, shift;
  bool vectors;  // every fourth byte of a line lies on a 4-byte boundary
};

// c[m,n] = a[m,k] * b[k,n]. a_along_k: a's lines are its rows (k runs along them), otherwise its columns, that is, a
// was given transposed. b_along_k: b's lines are its columns, that is, b was given transposed.
template <class A, class B>
struct Product {
  int m, n, k;
  A a;
  B b;
  bool a_along_k, b_along_k;
  Output output;
};
using FloatProduct = Product<FloatLines, FloatLines>;

// The floats at the beginning of the workspace that a product of these sizes may take, by whatever rung: who keeps
// operands in the workspace puts them behind.
int64_t gemm_floats(const Stream&, int64_t m, int64_t n, int64_t k);

// Indices within a matrix are ints, with room for a tile beyond its edge; offsets into memory are 64 bits wide.
int checked_size(int64_t size);
FloatLines float_lines(const void* data, int64_t stride, int64_t lines, int64_t length);

// One launcher a rung; m and n are positive.
void gemm_naive(Stream&, const FloatProduct&);
void gemm_coalesced(Stream&, const FloatProduct&);
void gemm_shared_tile(Stream&, const FloatProduct&);
void gemm_register_tile(Stream&, const FloatProduct&);
template <class A, class B>
void gemm_vectorised(Stream&, const Product<A, B>&);
void gemm_double_buffered(Stream&, const FloatProduct&);
void gemm_direct(Stream&, const FloatProduct&);
void gemm_tensor_core(Stream&, const FloatProduct&);
void gemm_warp_tile(Stream&, const FloatProduct&);
void gemm_warpgroup(Stream&, const FloatProduct&);

// What rung 10 may take of the workspace.
int64_t warpgroup_floats(int64_t m, int64_t n, int64_t k);

}  // namespace cairn::CAIRN_VANILLA
