// ReLU, tanh and GELU, forward and backward.
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

void relu_forward(const Place& place, const ReluForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.count});
  at::clamp_min_out(y, place.reals(args.dtype, args.x, {args.count}), 0);
}

void relu_backward(const Place& place, const ReluBackwardArgs& args) {
  store(place.reals(args.dtype, args.dx, {args.count}),
        where_positive(place.reals(args.dtype, args.y, {args.count}), place.reals(args.dtype, args.dy, {args.count})),
        args.accumulate);
}

void tanh_forward(const Place& place, const TanhForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.count});
  at::tanh_out(y, place.reals(args.dtype, args.x, {args.count}));
}

void tanh_backward(const Place& place, const TanhBackwardArgs& args) {
  store(
      place.reals(args.dtype, args.dx, {args.count}),
      at::tanh_backward(place.reals(args.dtype, args.dy, {args.count}), place.reals(args.dtype, args.y, {args.count})),
      args.accumulate);
}

void gelu_forward(const Place& place, const GeluForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.count});
  at::gelu_out(y, place.reals(args.dtype, args.x, {args.count}));
}

void gelu_backward(const Place& place, const GeluBackwardArgs& args) {
  store(
      place.reals(args.dtype, args.dx, {args.count}),
      at::gelu_backward(place.reals(args.dtype, args.dy, {args.count}), place.reals(args.dtype, args.x, {args.count})),
      args.accumulate);
}

}  // namespace cairn::torch
