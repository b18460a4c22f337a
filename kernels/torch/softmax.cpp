// Softmax over rows.
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

void softmax_forward(const Place& place, const SoftmaxForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.rows, args.columns});
  if (y.numel() == 0) return;
  at::_softmax_out(y, place.reals(args.dtype, args.x, {args.rows, args.columns}), 1, false);
}

void softmax_backward(const Place& place, const SoftmaxBackwardArgs& args) {
  at::Tensor dx = place.reals(args.dtype, args.dx, {args.rows, args.columns});
  if (dx.numel() == 0) return;
  const at::Tensor y = place.reals(args.dtype, args.y, {args.rows, args.columns});
  const at::Tensor dy = place.reals(args.dtype, args.dy, {args.rows, args.columns});
  store(dx, at::_softmax_backward_data(dy, y, 1, y.scalar_type()), args.accumulate);
}

}  // namespace cairn::torch
