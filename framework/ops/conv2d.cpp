#include "framework/ops/conv2d.h"

#include "framework/autograd.h"
#include "framework/ops/check.h"
#include "framework/ops/window.h"

namespace cairn {
namespace {

Conv2dShape sizes_of(const Shape& x, const Shape& weight, const Shape& y, const Conv2dOptions& options) {
  return {.batch = x[0],
          .in_channels = x[1],
          .in_height = x[2],
          .in_width = x[3],
          .out_channels = y[1],
          .out_height = y[2],
          .out_width = y[3],
          .kernel_height = weight[2],
          .kernel_width = weight[3],
          .stride_height = options.stride_height,
          .stride_width = options.stride_width,
          .pad_height = options.pad_height,
          .pad_width = options.pad_width};
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

void check_added(const Tensor& x, const Tensor& add, const Shape& out) {
  if (!add.defined()) return;
  check::values("conv2d", "add", add);
  check::together("conv2d", "x", x, "add", add);
  if (add.shape() != out)
    check::fail("conv2d", "add must have the result's shape, " + out.text(), check::describe(add));
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

PreparedWeight prepare_conv2d(const Shape& x, const Tensor& weight, const Conv2dOptions& options) {
  const Conv2dShape shape = sizes_of(x, weight.shape(), conv2d_output(x, weight.shape(), options), options);
  PreparedWeight prepared{{}, weight.shape(), {x[1], x[2], x[3]}};
  if (weight.dtype() != DType::f32) return prepared;
  Device& device = *weight.device();
  const int64_t count = device.prepare_conv2d(shape, weight.data(), nullptr);
  if (count == 0) return prepared;
  prepared.values = Tensor::empty(weight.device(), {count}, DType::f32, "prepared weights");
  device.prepare_conv2d(shape, weight.data(), prepared.values.data());
  return prepared;
}

Tensor conv2d(const Tensor& x, const PreparedWeight& weight, const Tensor& bias, const Conv2dOptions& options,
              Activation activation, const Tensor& add) {
  check::values("conv2d", "x", x);
  check::rank("conv2d", "x", x, 4, "N x C x H x W");
  const Shape image{x.shape()[1], x.shape()[2], x.shape()[3]};
  if (image != weight.image)
    check::fail("conv2d",
                "a folded network's weights are sorted for the size of the first images, " + weight.image.text(),
                check::describe(x));
  const Shape out = conv2d_output(x.shape(), weight.weight, options);
  check_added(x, add, out);
  Tensor y = Tensor::empty(x.device(), out, x.dtype(), "conv2d");
  x.device()->call(&Backend::conv2d_forward,
                   Conv2dForwardArgs{.dtype = x.dtype(),
                                     .shape = sizes_of(x.shape(), weight.weight, out, options),
                                     .x = x.data(),
                                     .weight = nullptr,
                                     .bias = bias.defined() ? bias.data() : nullptr,
                                     .add = add.defined() ? add.data() : nullptr,
                                     .prepared = weight.values.data(),
                                     .y = y.data(),
                                     .relu = activation == Activation::relu});
  return y;
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options,
              Activation activation, const Tensor& add) {
  check_tensors(x, weight, bias);
  const Shape out = conv2d_output(x.shape(), weight.shape(), options);
  check_added(x, add, out);
  const Conv2dShape shape = sizes_of(x.shape(), weight.shape(), out, options);
  const bool relu = activation == Activation::relu;
  Tensor y = Tensor::empty(x.device(), out, x.dtype(), "conv2d");
  x.device()->call(&Backend::conv2d_forward, Conv2dForwardArgs{.dtype = x.dtype(),
                                                               .shape = shape,
                                                               .x = x.data(),
                                                               .weight = weight.data(),
                                                               .bias = bias.defined() ? bias.data() : nullptr,
                                                               .add = add.defined() ? add.data() : nullptr,
                                                               .prepared = nullptr,
                                                               .y = y.data(),
                                                               .relu = relu});

  if (!needs_gradient({x, weight, bias, add})) return y;
  auto backward = [x = x.detach(), weight = weight.detach(), y = relu ? y.detach() : Tensor(), shape](
                      const Tensor& dy, Gradients& gradients) {
    Device& device = *dy.device();
    const auto dbias = gradients.destination(2);
    // With a ReLU, dy becomes the gradient before it in place: no one else holds it.
    if (y.defined() || dbias)
      device.call(&Backend::conv2d_backward_bias,
                  Conv2dBackwardBiasArgs{.dtype = dy.dtype(),
                                         .batch = shape.batch,
                                         .channels = shape.out_channels,
                                         .plane = shape.out_height * shape.out_width,
                                         .dy = dy.data(),
                                         .y = y.defined() ? y.data() : nullptr,
                                         .dz = y.defined() ? dy.data() : nullptr,
                                         .dbias = dbias ? dbias->gradient.data() : nullptr,
                                         .accumulate = dbias ? dbias->accumulate : 0});
    if (const auto dweight = gradients.destination(1))
      device.call(&Backend::conv2d_backward_filter, Conv2dBackwardFilterArgs{.dtype = dy.dtype(),
                                                                             .shape = shape,
                                                                             .x = x.data(),
                                                                             .dy = dy.data(),
                                                                             .dweight = dweight->gradient.data(),
                                                                             .accumulate = dweight->accumulate});
    if (const auto dx = gradients.destination(0))
      device.call(&Backend::conv2d_backward_data, Conv2dBackwardDataArgs{.dtype = dy.dtype(),
                                                                         .shape = shape,
                                                                         .dy = dy.data(),
                                                                         .weight = weight.data(),
                                                                         .dx = dx->gradient.data(),
                                                                         .accumulate = dx->accumulate});
    gradients.pass_on(3, dy);
  };
  record(y, "conv2d", {x, weight, bias, add}, std::move(backward));
  return y;
}

}  // namespace cairn
