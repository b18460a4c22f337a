#include "framework/ops/pooling.h"

#include <limits>

#include "framework/autograd.h"
#include "framework/ops/check.h"
#include "framework/ops/window.h"

namespace cairn {
namespace {

void check_input(const char* op, const Tensor& x) {
  check::values(op, "x", x);
  check::rank(op, "x", x, 4, "N x C x H x W");
}

PoolShape sizes_of(const Shape& x, const Shape& y, const PoolOptions& options) {
  return {.planes = x[0] * x[1],
          .in_height = x[2],
          .in_width = x[3],
          .out_height = y[2],
          .out_width = y[3],
          .window_height = options.window_height,
          .window_width = options.window_width,
          .stride_height = options.stride_height,
          .stride_width = options.stride_width,
          .pad_height = options.pad_height,
          .pad_width = options.pad_width};
}

// y: the shape of the result, which has shape.planes planes.
Tensor max_pool(const char* op, const Tensor& x, const PoolShape& shape, const Shape& out, bool relu) {
  if (shape.in_height * shape.in_width > std::numeric_limits<int32_t>::max())
    check::fail(op, "a plane of x (N x C x H x W) must have less than 2^31 values", check::describe(x));
  const bool gradient = needs_gradient({x});
  Tensor y = Tensor::empty(x.device(), out, x.dtype(), op);
  const Tensor indices = gradient ? Tensor::empty(x.device(), out, DType::i32, op) : Tensor();
  x.device()->call(&Backend::max_pool_forward,
                   MaxPoolForwardArgs{.dtype = x.dtype(),
                                      .shape = shape,
                                      .x = x.data(),
                                      .y = y.data(),
                                      .indices = gradient ? indices.data<int32_t>() : nullptr,
                                      .relu = relu});
  if (!gradient) return y;
  record(y, op, {x}, [indices, y = relu ? y.detach() : Tensor(), shape](const Tensor& dy, Gradients& gradients) {
    if (const auto dx = gradients.destination(0))
      dy.device()->call(&Backend::max_pool_backward, MaxPoolBackwardArgs{.dtype = dy.dtype(),
                                                                         .shape = shape,
                                                                         .dy = dy.data(),
                                                                         .indices = indices.data<int32_t>(),
                                                                         .y = y.defined() ? y.data() : nullptr,
                                                                         .dx = dx->gradient.data(),
                                                                         .accumulate = dx->accumulate});
  });
  return y;
}

Tensor average_pool(const char* op, const Tensor& x, const PoolShape& shape, const Shape& out, bool count_padding) {
  Tensor y = Tensor::empty(x.device(), out, x.dtype(), op);
  x.device()->call(
      &Backend::average_pool_forward,
      AveragePoolForwardArgs{
          .dtype = x.dtype(), .shape = shape, .x = x.data(), .y = y.data(), .count_padding = count_padding});
  if (!needs_gradient({x})) return y;
  record(y, op, {x}, [shape, count_padding](const Tensor& dy, Gradients& gradients) {
    if (const auto dx = gradients.destination(0))
      dy.device()->call(&Backend::average_pool_backward, AveragePoolBackwardArgs{.dtype = dy.dtype(),
                                                                                 .shape = shape,
                                                                                 .dy = dy.data(),
                                                                                 .dx = dx->gradient.data(),
                                                                                 .count_padding = count_padding,
                                                                                 .accumulate = dx->accumulate});
  });
  return y;
}

}  // namespace

Shape pool_output(const char* op, const Shape& x, const PoolOptions& options) {
  const WindowAxis height{x[2], options.window_height, options.stride_height, options.pad_height};
  const WindowAxis width{x[3], options.window_width, options.stride_width, options.pad_width};
  const std::string came = "a window of " + check::times(height.window, width.window) + " with padding " +
                           check::times(height.pad, width.pad) + " for x " + x.text();
  check::window(op, x, "window", height, width, came);
  if (2 * height.pad > height.window || 2 * width.pad > width.window)
    check::fail(op, "padding must be at most half the window", came);
  return {x[0], x[1], window_places(height, options.ceil), window_places(width, options.ceil)};
}

Tensor max_pool2d(const Tensor& x, const PoolOptions& options, Activation activation) {
  check_input("max_pool2d", x);
  const Shape out = pool_output("max_pool2d", x.shape(), options);
  return max_pool("max_pool2d", x, sizes_of(x.shape(), out, options), out, activation == Activation::relu);
}

Tensor average_pool2d(const Tensor& x, const PoolOptions& options, bool count_padding) {
  check_input("average_pool2d", x);
  const Shape out = pool_output("average_pool2d", x.shape(), options);
  return average_pool("average_pool2d", x, sizes_of(x.shape(), out, options), out, count_padding);
}

// One window as large as the plane.
Tensor global_max_pool2d(const Tensor& x) {
  check_input("global_max_pool2d", x);
  const PoolOptions options{x.shape()[2], x.shape()[3], 1, 1};
  const Shape out = pool_output("global_max_pool2d", x.shape(), options);
  return max_pool("global_max_pool2d", x, sizes_of(x.shape(), out, options), {out[0], out[1]}, false);
}

Tensor global_average_pool2d(const Tensor& x) {
  check_input("global_average_pool2d", x);
  const PoolOptions options{x.shape()[2], x.shape()[3], 1, 1};
  const Shape out = pool_output("global_average_pool2d", x.shape(), options);
  return average_pool("global_average_pool2d", x, sizes_of(x.shape(), out, options), {out[0], out[1]}, true);
}

}  // namespace cairn
