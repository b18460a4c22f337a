// The matrix product. Not here: with bytes (byte_linear.cpp).
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

// A stored matrix as rows x columns, transposed where it is stored so.
at::Tensor matrix(const Place& place, DType dtype, const void* data, int64_t rows, int64_t columns, int64_t leading,
                  bool transposed) {
  if (transposed) return place.reals(dtype, data, {rows, columns}, {1, leading});
  return place.reals(dtype, data, {rows, columns}, {leading, 1});
}

}  // namespace

void multiply_into(at::Tensor c, const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias, bool relu,
                   bool accumulate) {
  if (accumulate)
    c.addmm_(a, b);
  else if (bias.defined())
    at::addmm_out(c, bias, a, b);
  else
    at::mm_out(c, a, b);
  if (relu) c.clamp_min_(0);
}

void gemm(const Place& place, const GemmArgs& args) {
  const at::Tensor c = matrix(place, args.dtype, args.c, args.m, args.n, args.ldc, false);
  if (args.m == 0 || args.n == 0) return;
  const at::Tensor bias = args.bias ? place.reals(args.dtype, args.bias, {args.n}) : at::Tensor();
  multiply_into(c, matrix(place, args.dtype, args.a, args.m, args.k, args.lda, args.transpose_a),
                matrix(place, args.dtype, args.b, args.k, args.n, args.ldb, args.transpose_b), bias, args.relu,
                args.accumulate);
}

}  // namespace cairn::torch
