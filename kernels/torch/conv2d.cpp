// Convolution: forward and its three gradients.
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>

#include <array>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

// ATen pads both ends alike and takes y's size from that. Where the shape says another one, x is padded (or cut) first
// so that the last kernel ends with it.
struct Plan {
  explicit Plan(const Conv2dShape& s)
      : x_sizes{s.batch, s.in_channels, s.in_height, s.in_width},
        weight_sizes{s.out_channels, s.in_channels, s.kernel_height, s.kernel_width},
        y_sizes{s.batch, s.out_channels, s.out_height, s.out_width},
        stride{s.stride_height, s.stride_width},
        pad{s.pad_height, s.pad_width},
        seen_sizes(x_sizes) {
    const int64_t below = (s.out_height - 1) * s.stride_height + s.kernel_height - s.pad_height - s.in_height;
    const int64_t right = (s.out_width - 1) * s.stride_width + s.kernel_width - s.pad_width - s.in_width;
    const auto fits = [](int64_t after, int64_t pad, int64_t stride) { return after <= pad && after > pad - stride; };
    is_even = fits(below, s.pad_height, s.stride_height) && fits(right, s.pad_width, s.stride_width);
    if (is_even) return;
    frame = {s.pad_width, right, s.pad_height, below};
    pad = {0, 0};
    seen_sizes[2] += s.pad_height + below;
    seen_sizes[3] += s.pad_width + right;
  }
  at::Tensor framed(const at::Tensor& x) const { return is_even ? x : at::constant_pad_nd(x, frame); }
  at::Tensor unframed(const at::Tensor& dx) const {
    if (is_even) return dx;
    return at::constant_pad_nd(dx, {-frame[0], -frame[1], -frame[2], -frame[3]});
  }

  std::array<int64_t, 4> x_sizes, weight_sizes, y_sizes;
  std::array<int64_t, 2> stride, pad;
  std::array<int64_t, 4> seen_sizes;  // of x as ATen sees it
  bool is_even;
  std::array<int64_t, 4> frame{};  // left, right, above, below
};

bool holds_nothing(at::IntArrayRef sizes) {
  for (int64_t size : sizes)
    if (size == 0) return true;
  return false;
}

// Of x and weight, the one that the wanted gradient does not depend on is only asked for its sizes.
at::Tensor gradient(const Plan& plan, const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                    bool of_weight) {
  const auto gradients = at::convolution_backward(dy, x, weight, at::OptionalIntArrayRef(), plan.stride, plan.pad,
                                                  {1, 1}, false, {0, 0}, 1, {!of_weight, of_weight, false});
  return of_weight ? std::get<1>(gradients) : std::get<0>(gradients);
}

}  // namespace

void conv2d_forward(const Place& place, const Conv2dForwardArgs& args) {
  const Plan plan(args.shape);
  at::Tensor y = place.reals(args.dtype, args.y, plan.y_sizes);
  if (holds_nothing(plan.y_sizes)) return;
  const at::Tensor bias = args.bias ? place.reals(args.dtype, args.bias, {args.shape.out_channels}) : at::Tensor();
  if (holds_nothing(plan.weight_sizes) || holds_nothing(plan.x_sizes)) {  // sums of nothing
    if (args.bias)
      y.copy_(bias.view({1, -1, 1, 1}));
    else
      y.zero_();
  } else {
    const at::Tensor x = plan.framed(place.reals(args.dtype, args.x, plan.x_sizes));
    const at::Tensor weight = place.reals(args.dtype, args.weight, plan.weight_sizes);
    y.copy_(at::convolution(x, weight, bias, plan.stride, plan.pad, {1, 1}, false, {0, 0}, 1));
  }
  if (args.add) y.add_(place.reals(args.dtype, args.add, plan.y_sizes));
  if (args.relu) y.clamp_min_(0);
}

void conv2d_backward_data(const Place& place, const Conv2dBackwardDataArgs& args) {
  const Plan plan(args.shape);
  at::Tensor dx = place.reals(args.dtype, args.dx, plan.x_sizes);
  if (holds_nothing(plan.x_sizes)) return;
  if (holds_nothing(plan.y_sizes) || holds_nothing(plan.weight_sizes)) {
    if (!args.accumulate) dx.zero_();
    return;
  }
  const at::Tensor dy = place.reals(args.dtype, args.dy, plan.y_sizes);
  const at::Tensor weight = place.reals(args.dtype, args.weight, plan.weight_sizes);
  const at::Tensor x = at::empty(plan.seen_sizes, dy.options());
  store(dx, plan.unframed(gradient(plan, dy, x, weight, false)), args.accumulate);
}

void conv2d_backward_filter(const Place& place, const Conv2dBackwardFilterArgs& args) {
  const Plan plan(args.shape);
  at::Tensor dweight = place.reals(args.dtype, args.dweight, plan.weight_sizes);
  if (holds_nothing(plan.weight_sizes)) return;
  if (holds_nothing(plan.y_sizes) || holds_nothing(plan.x_sizes)) {
    if (!args.accumulate) dweight.zero_();
    return;
  }
  const at::Tensor dy = place.reals(args.dtype, args.dy, plan.y_sizes);
  const at::Tensor x = plan.framed(place.reals(args.dtype, args.x, plan.x_sizes));
  store(dweight, gradient(plan, dy, x, at::empty(plan.weight_sizes, dy.options()), true), args.accumulate);
}

void conv2d_backward_bias(const Place& place, const Conv2dBackwardBiasArgs& args) {
  const std::array<int64_t, 3> sizes{args.batch, args.channels, args.plane};
  at::Tensor dz = place.reals(args.dtype, args.dy, sizes);
  if (args.y) {
    const at::Tensor dy = dz;
    dz = place.reals(args.dtype, args.dz, sizes);
    dz.copy_(where_positive(place.reals(args.dtype, args.y, sizes), dy));
  }
  if (!args.dbias) return;
  const std::array<int64_t, 2> all{0, 2};
  store(place.reals(args.dtype, args.dbias, {args.channels}), dz.sum(all), args.accumulate);
}

}  // namespace cairn::torch
