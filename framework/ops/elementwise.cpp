#include "framework/ops/elementwise.h"

#include <cmath>

#include "framework/autograd.h"
#include "framework/ops/check.h"

namespace cairn {
namespace {

// destination (+)= factor * gradient
void pass_on(const Tensor& gradient, const Destination& destination, double factor) {
  gradient.device()->call(&Backend::scale, ScaleArgs{.dtype = gradient.dtype(),
                                                     .count = gradient.count(),
                                                     .x = gradient.data(),
                                                     .out = destination.gradient.data(),
                                                     .factor = factor,
                                                     .accumulate = destination.accumulate});
}

void check_step(const char* op, const Tensor& x, const Tensor& step) {
  check::defined(op, "step", step);
  if (step.dtype() != DType::i64 || step.count() != 1 || step.device() != x.device())
    check::fail(op, "step must be one i64 on the device of x", check::describe(step));
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  check::values("add", "a", a);
  check::values("add", "b", b);
  check::same_shape("add", "a", a, "b", b);
  Tensor out = Tensor::empty(a.device(), a.shape(), a.dtype(), "add");
  a.device()->call(
      &Backend::add,
      BinaryArgs{
          .dtype = a.dtype(), .count = a.count(), .a = a.data(), .b = b.data(), .out = out.data(), .accumulate = 0});
  if (!needs_gradient({a, b})) return out;
  record(out, "add", {a, b}, [](const Tensor& dout, Gradients& gradients) {
    if (const auto da = gradients.destination(0)) pass_on(dout, *da, 1.0);
    if (const auto db = gradients.destination(1)) pass_on(dout, *db, 1.0);
  });
  return out;
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  check::values("multiply", "a", a);
  check::values("multiply", "b", b);
  check::same_shape("multiply", "a", a, "b", b);
  Tensor out = Tensor::empty(a.device(), a.shape(), a.dtype(), "multiply");
  a.device()->call(
      &Backend::multiply,
      BinaryArgs{
          .dtype = a.dtype(), .count = a.count(), .a = a.data(), .b = b.data(), .out = out.data(), .accumulate = 0});
  if (!needs_gradient({a, b})) return out;
  record(out, "multiply", {a, b}, [a = a.detach(), b = b.detach()](const Tensor& dout, Gradients& gradients) {
    const auto product = [&](const Tensor& other, const Destination& destination) {
      dout.device()->call(&Backend::multiply, BinaryArgs{.dtype = dout.dtype(),
                                                         .count = dout.count(),
                                                         .a = dout.data(),
                                                         .b = other.data(),
                                                         .out = destination.gradient.data(),
                                                         .accumulate = destination.accumulate});
    };
    if (const auto da = gradients.destination(0)) product(b, *da);
    if (const auto db = gradients.destination(1)) product(a, *db);
  });
  return out;
}

Tensor scale(const Tensor& x, double factor) {
  check::values("scale", "x", x);
  Tensor out = Tensor::empty(x.device(), x.shape(), x.dtype(), "scale");
  x.device()->call(
      &Backend::scale,
      ScaleArgs{
          .dtype = x.dtype(), .count = x.count(), .x = x.data(), .out = out.data(), .factor = factor, .accumulate = 0});
  if (!needs_gradient({x})) return out;
  record(out, "scale", {x}, [factor](const Tensor& dout, Gradients& gradients) {
    if (const auto dx = gradients.destination(0)) pass_on(dout, *dx, factor);
  });
  return out;
}

Tensor add_bias(const Tensor& x, const Tensor& bias) {
  check::values("add_bias", "x", x);
  check::values("add_bias", "bias", bias);
  check::rank("add_bias", "x", x, 2, "N x C");
  check::together("add_bias", "x", x, "bias", bias);
  if (bias.shape() != Shape{x.shape()[1]})
    check::fail("add_bias", "bias must have one value per column of x (N x C)",
                check::describe(x) + " and " + check::describe(bias));
  const int64_t rows = x.shape()[0], columns = x.shape()[1];
  Tensor y = Tensor::empty(x.device(), x.shape(), x.dtype(), "add_bias");
  x.device()->call(&Backend::bias_forward, BiasForwardArgs{.dtype = x.dtype(),
                                                           .rows = rows,
                                                           .columns = columns,
                                                           .x = x.data(),
                                                           .bias = bias.data(),
                                                           .y = y.data(),
                                                           .relu = 0});
  if (!needs_gradient({x, bias})) return y;
  record(y, "add_bias", {x, bias}, [rows, columns](const Tensor& dy, Gradients& gradients) {
    if (const auto dx = gradients.destination(0)) pass_on(dy, *dx, 1.0);
    if (const auto dbias = gradients.destination(1))
      dy.device()->call(&Backend::bias_backward, BiasBackwardArgs{.dtype = dy.dtype(),
                                                                  .rows = rows,
                                                                  .columns = columns,
                                                                  .dy = dy.data(),
                                                                  .dbias = dbias->gradient.data(),
                                                                  .accumulate = dbias->accumulate});
  });
  return y;
}

Tensor dropout(const Tensor& x, double probability, uint64_t seed, uint32_t layer, const Tensor& step) {
  check::values("dropout", "x", x);
  if (!(probability >= 0.0 && probability < 1.0))
    throw ShapeError("dropout: the probability must be in [0, 1); got " + std::to_string(probability));
  check_step("dropout", x, step);
  Tensor y = Tensor::empty(x.device(), x.shape(), x.dtype(), "dropout");
  x.device()->call(&Backend::dropout, DropoutArgs{.dtype = x.dtype(),
                                                  .count = x.count(),
                                                  .x = x.data(),
                                                  .y = y.data(),
                                                  .probability = probability,
                                                  .seed = seed,
                                                  .layer = layer,
                                                  .step = step.data<int64_t>(),
                                                  .accumulate = 0});
  if (!needs_gradient({x})) return y;
  record(y, "dropout", {x}, [probability, seed, layer, step](const Tensor& dy, Gradients& gradients) {
    if (const auto dx = gradients.destination(0))
      dy.device()->call(&Backend::dropout, DropoutArgs{.dtype = dy.dtype(),
                                                       .count = dy.count(),
                                                       .x = dy.data(),
                                                       .y = dx->gradient.data(),
                                                       .probability = probability,
                                                       .seed = seed,
                                                       .layer = layer,
                                                       .step = step.data<int64_t>(),
                                                       .accumulate = dx->accumulate});
  });
  return y;
}

Tensor add_noise(const Tensor& x, double deviation, double low, double high, uint64_t seed, uint32_t layer,
                 const Tensor& step) {
  check::values("add_noise", "x", x);
  if (!(deviation >= 0 && std::isfinite(deviation)))
    throw ShapeError("add_noise: the deviation must be at least 0; got " + std::to_string(deviation));
  if (!(low <= high))
    throw ShapeError("add_noise: low must be at most high; got " + std::to_string(low) + " and " +
                     std::to_string(high));
  check_step("add_noise", x, step);
  Tensor y = Tensor::empty(x.device(), x.shape(), x.dtype(), "add_noise");
  x.device()->call(&Backend::add_noise, AddNoiseArgs{.dtype = x.dtype(),
                                                     .count = x.count(),
                                                     .x = x.data(),
                                                     .y = y.data(),
                                                     .deviation = deviation,
                                                     .low = low,
                                                     .high = high,
                                                     .seed = seed,
                                                     .layer = layer,
                                                     .step = step.data<int64_t>()});
  return y;
}

Tensor reshape(const Tensor& x, Shape shape) {
  check::defined("reshape", "x", x);
  Tensor y = x.detach_as(shape);
  if (!needs_gradient({x})) return y;
  record(y, "reshape", {x}, [](const Tensor& dy, Gradients& gradients) { gradients.pass_on(0, dy); });
  return y;
}

Tensor flatten(const Tensor& x) {
  check::defined("flatten", "x", x);
  return reshape(x, {x.shape().rows(), x.shape().columns()});
}

}  // namespace cairn
