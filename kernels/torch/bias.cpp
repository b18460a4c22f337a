// Bias, alone or with ReLU. Not here: convolutions' bias (conv2d.cpp).
#include <ATen/ops/add.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/sum.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

void bias_forward(const Place& place, const BiasForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.rows, args.columns});
  at::add_out(y, place.reals(args.dtype, args.x, {args.rows, args.columns}),
              place.reals(args.dtype, args.bias, {args.columns}));
  if (args.relu) y.clamp_min_(0);
}

void bias_backward(const Place& place, const BiasBackwardArgs& args) {
  at::Tensor dbias = place.reals(args.dtype, args.dbias, {args.columns});
  const at::Tensor dy = place.reals(args.dtype, args.dy, {args.rows, args.columns});
  store(dbias, dy.sum(0), args.accumulate);
}

void bias_relu_backward(const Place& place, const BiasReluBackwardArgs& args) {
  at::Tensor dz = place.reals(args.dtype, args.dz, {args.rows, args.columns});
  dz.copy_(where_positive(place.reals(args.dtype, args.y, {args.rows, args.columns}),
                          place.reals(args.dtype, args.dy, {args.rows, args.columns})));
  if (args.dbias) store(place.reals(args.dtype, args.dbias, {args.columns}), dz.sum(0), args.accumulate);
}

}  // namespace cairn::torch
