#include "framework/ops/conv2d.h"

#include "framework/autograd.h"
#include "framework/ops/check.h"
#include "framework/ops/window.h"

namespace cairn {
namespace {

Conv2dShape sizes_of(const Shape& x, const Shape& weight, const Shape& y, const Conv2dOptions& options) {
  return {x[0],
          x[1],
          x[2],
          x[3],
          y[1],
          y[2],
          y[3],
          weight[2],
          weight[3],
          options.stride_height,
          options.stride_width,
          options.pad_height,
          options.pad_width};
}

void check_tensors(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check::values("conv2d", "x", x);
  check::values("conv2d", "weight", weight);
  check::rank("conv2d", "x", x, 4, "N x C x H x W");
  check::rank("conv2d", "weight", weight, 4, "out x in x kernel height x kernel width");
  check::together("conv2d", "x", x, "weight", weight);
  if (!bias.defined()) return;
  check::together("conv2d", "weight", weight, "bias", bias);
  if (bias.shape() != Shape{weight.shape()[0]})
    check::fail("conv2d", "bias must have one value per output channel, " + Shape{weight.shape()[0]}.text(),
                check::describe(bias));
}

}  // namespace

Shape conv2d_output(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
  const std::string came = "x " + x.text() + " and weight " + weight.text();
  if (options.groups != 1)
    check::fail("conv2d", "groups are not supported: every output channel sees every input channel",
                std::to_string(options.groups) + " groups for " + came);
  if (x[1] != weight[1])
    check::fail("conv2d",
                "x (N x C x H x W) and weight (out x in x kernel height x kernel width) must agree in channels", came);
  const WindowAxis height{x[2], weight[2], options.stride_height, options.pad_height};
  const WindowAxis width{x[3], weight[3], options.stride_width, options.pad_width};
  check::window("conv2d", x, "kernel", height, width,
                came + " with padding " + check::times(options.pad_height, options.pad_width));
  return {x[0], weight[0], window_places(height), window_places(width)};
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options,
              Activation activation) {
  check_tensors(x, weight, bias);
  const Shape out = conv2d_output(x.shape(), weight.shape(), options);
  const Conv2dShape shape = sizes_of(x.shape(), weight.shape(), out, options);
  const bool relu = activation == Activation::relu;
  Tensor y = Tensor::empty(x.device(), out, x.dtype(), "conv2d");
  x.device()->call(&Backend::conv2d_forward, Conv2dForwardArgs{x.dtype(), shape, x.data(), weight.data(),
                                                               bias.defined() ? bias.data() : nullptr, y.data(), relu});

  if (!needs_gradient({x, weight, bias})) return y;
  auto backward = [x = x.detach(), weight = weight.detach(), y = relu ? y.detach() : Tensor(), shape](
                      const Tensor& dy, Gradients& gradients) {
    Device& device = *dy.device();
    const auto dbias = gradients.destination(2);
    // With a ReLU, dy becomes the gradient before it in place: no one else holds it.
    if (y.defined() || dbias)
      device.call(
          &Backend::conv2d_backward_bias,
          Conv2dBackwardBiasArgs{dy.dtype(), shape.batch, shape.out_channels, shape.out_height * shape.out_width,
                                 dy.data(), y.defined() ? y.data() : nullptr, y.defined() ? dy.data() : nullptr,
                                 dbias ? dbias->gradient.data() : nullptr, dbias ? dbias->accumulate : 0});
    if (const auto dweight = gradients.destination(1))
      device.call(&Backend::conv2d_backward_filter,
                  Conv2dBackwardFilterArgs{dy.dtype(), shape, x.data(), dy.data(), dweight->gradient.data(),
                                           dweight->accumulate});
    if (const auto dx = gradients.destination(0))
      device.call(&Backend::conv2d_backward_data, Conv2dBackwardDataArgs{dy.dtype(), shape, dy.data(), weight.data(),
                                                                         dx->gradient.data(), dx->accumulate});
  };
  record(y, "conv2d", {x, weight, bias}, std::move(backward));
  return y;
}

}  // namespace cairn
