// Sums, products, scaling, copies of rows, and a scalar spread out.
#include <ATen/ops/add.h>
#include <ATen/ops/mul.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

void add(const Place& place, const BinaryArgs& args) {
  at::Tensor out = place.reals(args.dtype, args.out, {args.count});
  const at::Tensor a = place.reals(args.dtype, args.a, {args.count}), b = place.reals(args.dtype, args.b, {args.count});
  if (args.accumulate)
    out.add_(at::add(a, b));
  else
    at::add_out(out, a, b);
}

void multiply(const Place& place, const BinaryArgs& args) {
  at::Tensor out = place.reals(args.dtype, args.out, {args.count});
  const at::Tensor a = place.reals(args.dtype, args.a, {args.count}), b = place.reals(args.dtype, args.b, {args.count});
  if (args.accumulate)
    out.add_(at::mul(a, b));
  else
    at::mul_out(out, a, b);
}

void scale(const Place& place, const ScaleArgs& args) {
  at::Tensor out = place.reals(args.dtype, args.out, {args.count});
  const at::Tensor x = place.reals(args.dtype, args.x, {args.count});
  store(out, at::mul(x, args.factor), args.accumulate);
}

void copy_rows(const Place& place, const CopyRowsArgs& args) {
  if (args.rows == 0 || args.columns == 0) return;
  store(place.reals(args.dtype, args.y, {args.rows, args.columns}, {args.y_stride, 1}),
        place.reals(args.dtype, args.x, {args.rows, args.columns}, {args.x_stride, 1}), args.accumulate);
}

void broadcast_scalar(const Place& place, const BroadcastScalarArgs& args) {
  store(place.reals(args.dtype, args.out, {args.count}), place.reals(args.dtype, args.x, {1}).mul(args.factor),
        args.accumulate);
}

}  // namespace cairn::torch
