// The argument structs of matrix products: of floats, and of a float matrix with bytes. Not here: the conventions that
// hold for every primitive (backend.h), which primitives there are (primitives.h).
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace cairn {

// c[m,n] = op(a)[m,k] * op(b)[k,n], then + bias[n], then max(0, .)
struct GemmArgs {
  DType dtype;  // of every array
  int64_t m, n, k;
  const void* a;
  int64_t lda;
  int32_t transpose_a;  // stored k x m when transposed
  const void* b;
  int64_t ldb;
  int32_t transpose_b;  // stored n x k when transposed
  void* c;
  int64_t ldc;
  const void* bias;  // n values or null
  int32_t relu;
  int32_t accumulate;  // c += a * b; never together with bias or relu
};

// A float matrix seen through a resident byte data set:
// x[i,j] = bytes[index[i] * columns + j] * scale + shift   (index null: row i itself)
struct ByteRows {
  const uint8_t* bytes;
  const int32_t* index;
  int64_t rows, columns;
  float scale, shift;
};

// y[rows,n] = x[rows,columns] * weight[n,columns]^T, then + bias[n], then max(0, .)     (f32)
struct ByteLinearForwardArgs {
  ByteRows x;
  int64_t n;
  const float* weight;
  const float* bias;  // or null
  float* y;
  int32_t relu;
};

// dweight[n,columns] (+)= dy[rows,n]^T * x[rows,columns]     (f32)
struct ByteLinearBackwardWeightArgs {
  ByteRows x;
  int64_t n;
  const float* dy;
  float* dweight;
  int32_t accumulate;
};

}  // namespace cairn
