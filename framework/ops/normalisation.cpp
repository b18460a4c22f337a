#include "framework/ops/normalisation.h"

#include <cmath>

#include "framework/autograd.h"
#include "framework/ops/check.h"

namespace cairn {
namespace {

void check_per_channel(const Tensor& x, const char* name, const Tensor& tensor) {
  check::values("batch_norm", name, tensor);
  check::together("batch_norm", "x", x, name, tensor);
  if (tensor.shape() != Shape{x.shape()[1]})
    check::fail("batch_norm", std::string(name) + " must have one value per channel of x (N x C x H x W)",
                check::describe(x) + " and " + check::describe(tensor));
}

void check_number(const char* op, bool holds, const char* rule, double came) {
  if (!holds) check::fail(op, rule, std::to_string(came));
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_variance, bool training, double momentum, double epsilon) {
  check::values("batch_norm", "x", x);
  check::rank("batch_norm", "x", x, 4, "N x C x H x W");
  check_per_channel(x, "weight", weight);
  check_per_channel(x, "bias", bias);
  check_per_channel(x, "running_mean", running_mean);
  check_per_channel(x, "running_variance", running_variance);
  check_number("batch_norm", momentum >= 0 && momentum <= 1, "momentum must be in [0, 1]", momentum);
  check_number("batch_norm", epsilon > 0 && std::isfinite(epsilon), "epsilon must be above 0", epsilon);

  const int64_t batch = x.shape()[0], channels = x.shape()[1], plane = x.shape()[2] * x.shape()[3];
  const Tensor mean = Tensor::empty(x.device(), {channels}, x.dtype(), "batch_norm");
  const Tensor inverse_std = Tensor::empty(x.device(), {channels}, x.dtype(), "batch_norm");
  Tensor y = Tensor::empty(x.device(), x.shape(), x.dtype(), "batch_norm");
  x.device()->call(&Backend::batch_norm_forward, BatchNormForwardArgs{.dtype = x.dtype(),
                                                                      .batch = batch,
                                                                      .channels = channels,
                                                                      .plane = plane,
                                                                      .x = x.data(),
                                                                      .weight = weight.data(),
                                                                      .bias = bias.data(),
                                                                      .running_mean = running_mean.data(),
                                                                      .running_variance = running_variance.data(),
                                                                      .mean = mean.data(),
                                                                      .inverse_std = inverse_std.data(),
                                                                      .y = y.data(),
                                                                      .momentum = momentum,
                                                                      .epsilon = epsilon,
                                                                      .training = training});
  if (!needs_gradient({x, weight, bias})) return y;
  record(y, "batch_norm", {x, weight, bias},
         [x = x.detach(), weight = weight.detach(), mean, inverse_std, batch, channels, plane, training](
             const Tensor& dy, Gradients& gradients) {
           const auto dx = gradients.destination(0), dweight = gradients.destination(1),
                      dbias = gradients.destination(2);
           const auto data = [](const std::optional<Destination>& to) { return to ? to->gradient.data() : nullptr; };
           const auto accumulate = [](const std::optional<Destination>& to) { return to ? to->accumulate : 0; };
           dy.device()->call(&Backend::batch_norm_backward,
                             BatchNormBackwardArgs{.dtype = dy.dtype(),
                                                   .batch = batch,
                                                   .channels = channels,
                                                   .plane = plane,
                                                   .x = x.data(),
                                                   .dy = dy.data(),
                                                   .weight = weight.data(),
                                                   .mean = mean.data(),
                                                   .inverse_std = inverse_std.data(),
                                                   .dx = data(dx),
                                                   .dweight = data(dweight),
                                                   .dbias = data(dbias),
                                                   .training = training,
                                                   .accumulate_dx = accumulate(dx),
                                                   .accumulate_dweight = accumulate(dweight),
                                                   .accumulate_dbias = accumulate(dbias)});
         });
  return y;
}

Tensor local_response_norm(const Tensor& x, int64_t size, double alpha, double beta, double k) {
  check::values("local_response_norm", "x", x);
  check::rank("local_response_norm", "x", x, 4, "N x C x H x W");
  if (size < 1) check::fail("local_response_norm", "size must be at least 1 channel", std::to_string(size));
  check_number("local_response_norm", alpha >= 0 && std::isfinite(alpha), "alpha must be at least 0", alpha);
  check_number("local_response_norm", std::isfinite(beta), "beta must be finite", beta);
  check_number("local_response_norm", k > 0 && std::isfinite(k), "k must be above 0", k);

  const int64_t batch = x.shape()[0], channels = x.shape()[1], plane = x.shape()[2] * x.shape()[3];
  const bool gradient = needs_gradient({x});
  const Tensor scale = gradient ? Tensor::empty(x.device(), x.shape(), x.dtype(), "local_response_norm") : Tensor();
  Tensor y = Tensor::empty(x.device(), x.shape(), x.dtype(), "local_response_norm");
  x.device()->call(&Backend::local_response_norm_forward,
                   LocalResponseNormForwardArgs{.dtype = x.dtype(),
                                                .batch = batch,
                                                .channels = channels,
                                                .plane = plane,
                                                .x = x.data(),
                                                .y = y.data(),
                                                .scale = gradient ? scale.data() : nullptr,
                                                .size = size,
                                                .alpha = alpha,
                                                .beta = beta,
                                                .k = k});
  if (!gradient) return y;
  record(y, "local_response_norm", {x},
         [x = x.detach(), scale, batch, channels, plane, size, alpha, beta](const Tensor& dy, Gradients& gradients) {
           if (const auto dx = gradients.destination(0))
             dy.device()->call(&Backend::local_response_norm_backward,
                               LocalResponseNormBackwardArgs{.dtype = dy.dtype(),
                                                             .batch = batch,
                                                             .channels = channels,
                                                             .plane = plane,
                                                             .x = x.data(),
                                                             .scale = scale.data(),
                                                             .dy = dy.data(),
                                                             .dx = dx->gradient.data(),
                                                             .size = size,
                                                             .alpha = alpha,
                                                             .beta = beta,
                                                             .accumulate = dx->accumulate});
         });
  return y;
}

}  // namespace cairn
