// Matrix products, and rows of a byte data set as their operand.
#include <ATen/ops/addmm.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>

#include <limits>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

// A stored matrix as rows x columns, transposed where it is stored so.
at::Tensor matrix(const Place& place, DType dtype, const void* data, int64_t rows, int64_t columns, int64_t leading,
                  bool transposed) {
  if (transposed) return place.reals(dtype, data, {rows, columns}, {1, leading});
  return place.reals(dtype, data, {rows, columns}, {leading, 1});
}

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

}  // namespace

at::Tensor Place::rows(const ByteRows& x) const {
  // How long the data set is, is not said; the indices are right.
  constexpr int64_t kAny = std::numeric_limits<int32_t>::max();
  at::Tensor bytes;
  if (x.index)
    bytes = at::index_select(view(at::kByte, x.bytes, {kAny, x.columns}, {}), 0, i32(x.index, {x.rows}));
  else
    bytes = view(at::kByte, x.bytes, {x.rows, x.columns}, {});
  return bytes.to(at::kFloat).mul_(x.scale).add_(x.shift);
}

void gemm(const Place& place, const GemmArgs& args) {
  const at::Tensor c = matrix(place, args.dtype, args.c, args.m, args.n, args.ldc, false);
  if (args.m == 0 || args.n == 0) return;
  const at::Tensor bias = args.bias ? place.reals(args.dtype, args.bias, {args.n}) : at::Tensor();
  multiply_into(c, matrix(place, args.dtype, args.a, args.m, args.k, args.lda, args.transpose_a),
                matrix(place, args.dtype, args.b, args.k, args.n, args.ldb, args.transpose_b), bias, args.relu,
                args.accumulate);
}

void byte_linear_forward(const Place& place, const ByteLinearForwardArgs& args) {
  if (args.x.rows == 0 || args.n == 0) return;
  const at::Tensor bias = args.bias ? place.f32(args.bias, {args.n}) : at::Tensor();
  multiply_into(place.f32(args.y, {args.x.rows, args.n}), place.rows(args.x),
                place.f32(args.weight, {args.n, args.x.columns}).t(), bias, args.relu, false);
}

void byte_linear_backward_weight(const Place& place, const ByteLinearBackwardWeightArgs& args) {
  if (args.n == 0 || args.x.columns == 0) return;
  multiply_into(place.f32(args.dweight, {args.n, args.x.columns}), place.f32(args.dy, {args.x.rows, args.n}).t(),
                place.rows(args.x), {}, false, args.accumulate);
}

}  // namespace cairn::torch
