// Max and average pools. ATen's own entries where they have the sizes; where not (padding of more than half a window,
// or the number of windows rounded down along one axis and up along the other) the same from smaller parts.
#include <ATen/ops/argmax.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool2d_backward.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>

#include <algorithm>
#include <array>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

struct Axis {
  int64_t in, out, window, stride, pad;

  int64_t windows(bool ceil) const {
    const int64_t room = in + 2 * pad - window;
    const int64_t places = (room + (ceil ? stride - 1 : 0)) / stride + 1;
    return ceil && (places - 1) * stride >= in + pad ? places - 1 : places;
  }
  // What the last window needs behind x; below zero where it ends before x does.
  int64_t after() const { return (out - 1) * stride + window - pad - in; }
};

struct Plan {
  explicit Plan(const PoolShape& s)
      : planes(s.planes),
        height{s.in_height, s.out_height, s.window_height, s.stride_height, s.pad_height},
        width{s.in_width, s.out_width, s.window_width, s.stride_width, s.pad_width},
        window{s.window_height, s.window_width},
        stride{s.stride_height, s.stride_width},
        pad{s.pad_height, s.pad_width} {
    const bool half = 2 * s.pad_height <= s.window_height && 2 * s.pad_width <= s.window_width;
    const auto both = [&](bool up) { return height.windows(up) == height.out && width.windows(up) == width.out; };
    ceil = !both(false);
    is_direct = half && both(ceil);
  }
  std::array<int64_t, 3> x_sizes() const { return {planes, height.in, width.in}; }
  std::array<int64_t, 3> y_sizes() const { return {planes, height.out, width.out}; }
  // left, right, above, below, so that the windows cover x exactly
  std::array<int64_t, 4> frame() const { return {width.pad, width.after(), height.pad, height.after()}; }

  int64_t planes;
  Axis height, width;
  std::array<int64_t, 2> window, stride, pad;
  bool ceil, is_direct;
};

constexpr std::array<int64_t, 2> kNone{0, 0}, kOnes{1, 1};

// For each window the places in its plane that it looks at, windows x window: where it lies outside x, the first of
// them once more, which changes neither the maximum nor where it stands first.
at::Tensor places_of(const Plan& plan, const at::TensorOptions& options) {
  const Axis &h = plan.height, &w = plan.width;
  at::Tensor places = at::empty({h.out * w.out, h.window * w.window}, at::TensorOptions().dtype(at::kLong));
  auto* next = static_cast<int64_t*>(places.data_ptr());
  for (int64_t p = 0; p < h.out; ++p)
    for (int64_t q = 0; q < w.out; ++q) {
      const int64_t top = p * h.stride - h.pad, left = q * w.stride - w.pad;
      const int64_t first = std::max<int64_t>(top, 0) * w.in + std::max<int64_t>(left, 0);
      for (int64_t row = top; row < top + h.window; ++row)
        for (int64_t column = left; column < left + w.window; ++column)
          *next++ = row >= 0 && row < h.in && column >= 0 && column < w.in ? row * w.in + column : first;
    }
  return places.to(options.device());
}

// Values and indices (planes x windows) from parts: every window's values side by side.
std::pair<at::Tensor, at::Tensor> max_from_parts(const Plan& plan, const at::Tensor& x) {
  const int64_t windows = plan.height.out * plan.width.out;
  const at::Tensor places = places_of(plan, x.options());
  const at::Tensor values =
      x.view({plan.planes, -1}).index_select(1, places.view({-1})).view({plan.planes, windows, -1});
  const at::Tensor best = at::argmax(values, 2, true);
  const at::Tensor indices = places.unsqueeze(0).expand({plan.planes, -1, -1}).gather(2, best).squeeze(2);
  return {values.gather(2, best).squeeze(2), indices};
}

// What each window's sum is divided by: windows down x windows across.
at::Tensor divisors(const Plan& plan, bool count_padding, const at::TensorOptions& options) {
  const auto lengths = [&](const Axis& axis) {
    at::Tensor result = at::empty({axis.out}, at::TensorOptions().dtype(at::kDouble));
    auto* length = static_cast<double*>(result.data_ptr());
    for (int64_t i = 0; i < axis.out; ++i) {
      const int64_t begin = i * axis.stride - axis.pad, reach = count_padding ? axis.pad : 0;
      const int64_t first = std::max(begin, -reach), last = std::min(begin + axis.window, axis.in + reach);
      length[i] = static_cast<double>(last - first);
    }
    return result;
  };
  return lengths(plan.height).unsqueeze(1).mul(lengths(plan.width)).to(options);
}

}  // namespace

void max_pool_forward(const Place& place, const MaxPoolForwardArgs& args) {
  const Plan plan(args.shape);
  at::Tensor y = place.reals(args.dtype, args.y, plan.y_sizes());
  if (plan.planes == 0) return;
  const at::Tensor x = place.reals(args.dtype, args.x, plan.x_sizes());
  std::pair<at::Tensor, at::Tensor> result;
  if (plan.is_direct) {
    auto [values, indices] = at::max_pool2d_with_indices(x, plan.window, plan.stride, plan.pad, kOnes, plan.ceil);
    result = {values, indices};
  }
  // Of several nans ATen names the last, not the first. (A GPU would have to be waited for to know.)
  const bool has_nan = plan.is_direct && args.indices && x.is_cpu() && result.first.isnan().any().item<bool>();
  if (!plan.is_direct || has_nan) result = max_from_parts(plan, x);
  y.copy_(result.first.view_as(y));
  if (args.indices) place.i32(args.indices, plan.y_sizes()).copy_(result.second.view_as(y));
  if (args.relu) y.clamp_min_(0);
}

void max_pool_backward(const Place& place, const MaxPoolBackwardArgs& args) {
  const Plan plan(args.shape);
  at::Tensor dx = place.reals(args.dtype, args.dx, plan.x_sizes());
  if (plan.planes == 0) return;
  at::Tensor dy = place.reals(args.dtype, args.dy, plan.y_sizes());
  if (args.y) dy = where_positive(place.reals(args.dtype, args.y, plan.y_sizes()), dy);
  const at::Tensor indices = place.i32(args.indices, plan.y_sizes()).to(at::kLong);
  if (plan.is_direct) {
    store(dx,
          at::max_pool2d_with_indices_backward(dy, at::empty(plan.x_sizes(), dy.options()), plan.window, plan.stride,
                                               plan.pad, kOnes, plan.ceil, indices),
          args.accumulate);
    return;
  }
  if (!args.accumulate) dx.zero_();
  dx.view({plan.planes, -1}).scatter_add_(1, indices.view({plan.planes, -1}), dy.reshape({plan.planes, -1}));
}

void average_pool_forward(const Place& place, const AveragePoolForwardArgs& args) {
  const Plan plan(args.shape);
  at::Tensor y = place.reals(args.dtype, args.y, plan.y_sizes());
  if (plan.planes == 0) return;
  const at::Tensor x = place.reals(args.dtype, args.x, plan.x_sizes());
  if (plan.is_direct) {
    y.copy_(at::avg_pool2d(x, plan.window, plan.stride, plan.pad, plan.ceil, args.count_padding));
    return;
  }
  const at::Tensor sums =
      at::avg_pool2d(at::constant_pad_nd(x, plan.frame()), plan.window, plan.stride, kNone, false, true, 1);
  y.copy_(sums.div(divisors(plan, args.count_padding, x.options())));
}

void average_pool_backward(const Place& place, const AveragePoolBackwardArgs& args) {
  const Plan plan(args.shape);
  at::Tensor dx = place.reals(args.dtype, args.dx, plan.x_sizes());
  if (plan.planes == 0) return;
  const at::Tensor dy = place.reals(args.dtype, args.dy, plan.y_sizes());
  if (plan.is_direct) {
    store(dx,
          at::avg_pool2d_backward(dy, at::empty(plan.x_sizes(), dy.options()), plan.window, plan.stride, plan.pad,
                                  plan.ceil, args.count_padding, {}),
          args.accumulate);
    return;
  }
  const std::array<int64_t, 4> frame = plan.frame(), back{-frame[0], -frame[1], -frame[2], -frame[3]};
  const at::Tensor framed =
      at::empty({plan.planes, plan.height.in + frame[2] + frame[3], plan.width.in + frame[0] + frame[1]}, dy.options());
  const at::Tensor shares = dy.div(divisors(plan, args.count_padding, dy.options()));
  const at::Tensor gradient = at::avg_pool2d_backward(shares, framed, plan.window, plan.stride, kNone, false, true, 1);
  store(dx, at::constant_pad_nd(gradient, back), args.accumulate);
}

}  // namespace cairn::torch
