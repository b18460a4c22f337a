// ReLU, tanh, sigmoid and GELU, forward and backward.
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/erfc.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>

#include <cmath>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

// at::gelu makes nan of infinity, and an element's bits depend on where it stands. So it is composed of what does
// neither.
at::Tensor normal_probability(const at::Tensor& x) {
  return at::erfc(x.mul(-std::sqrt(0.5))).mul_(0.5);
}

}  // namespace

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

// at::sigmoid: an element's bits depend on where it stands.
void sigmoid_forward(const Place& place, const SigmoidForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.count});
  y.copy_(at::exp(place.reals(args.dtype, args.x, {args.count}).neg()).add_(1).reciprocal_());
}

void sigmoid_backward(const Place& place, const SigmoidBackwardArgs& args) {
  store(place.reals(args.dtype, args.dx, {args.count}),
        at::sigmoid_backward(place.reals(args.dtype, args.dy, {args.count}),
                             place.reals(args.dtype, args.y, {args.count})),
        args.accumulate);
}

void gelu_forward(const Place& place, const GeluForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.count});
  const at::Tensor x = place.reals(args.dtype, args.x, {args.count});
  y.copy_(normal_probability(x).mul_(x));
}

void gelu_backward(const Place& place, const GeluBackwardArgs& args) {
  const at::Tensor x = place.reals(args.dtype, args.x, {args.count});
  const double factor = std::sqrt(0.5 / M_PI);
  const at::Tensor density = at::exp(x.square().mul_(-0.5)).mul_(factor);
  store(place.reals(args.dtype, args.dx, {args.count}),
        normal_probability(x).add_(density.mul_(x)).mul_(place.reals(args.dtype, args.dy, {args.count})),
        args.accumulate);
}

}  // namespace cairn::torch
