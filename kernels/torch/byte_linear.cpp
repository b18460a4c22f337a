// Products with a matrix of bytes, converted first. Not here: the conversion (rows.cpp).
#include "kernels/torch/primitives.h"

namespace cairn::torch {

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
