// Optimizers as torch::optim writes them, tensor by tensor. All but clip_gradients on the CPU only: the step's number
// and its learning rate are read here, which on a GPU would mean waiting for it.
#include <ATen/ops/add.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

template <class Args>
double learning_rate(const Args& args) {
  return static_cast<double>(args.learning_rates[*args.step % args.learning_rate_count]);
}

template <class Args>
at::Tensor gradient_of(const Place& place, const Args& args, const OptimizerTensor& tensor) {
  const at::Tensor gradient = place.reals(args.dtype, tensor.gradient, {tensor.count});
  return args.gradient_factor ? at::mul(gradient, place.f32(args.gradient_factor, {1})) : gradient;
}

}  // namespace

void sgd(const Place& place, const SgdArgs& args) {
  const double rate = learning_rate(args);
  for (int64_t i = 0; i < args.tensor_count; ++i) {
    const OptimizerTensor& tensor = args.tensors[i];
    const auto array = [&](const void* data) { return place.reals(args.dtype, data, {tensor.count}); };
    at::Tensor parameter = array(tensor.parameter), update = gradient_of(place, args, tensor);
    if (tensor.weight_decay != 0) update = at::add(update, parameter, tensor.weight_decay);
    if (tensor.state1) {
      at::Tensor velocity = array(tensor.state1);
      if (*args.step == 0)
        velocity.copy_(update);
      else
        velocity.mul_(args.momentum).add_(update);
      update = velocity;
    }
    parameter.add_(update, -rate);
  }
}

void adam(const Place& place, const AdamArgs& args) {
  const double rate = learning_rate(args), step = static_cast<double>(*args.step + 1);
  const double correction1 = 1 - std::pow(args.beta1, step), correction2 = 1 - std::pow(args.beta2, step);
  for (int64_t i = 0; i < args.tensor_count; ++i) {
    const OptimizerTensor& tensor = args.tensors[i];
    const auto array = [&](const void* data) { return place.reals(args.dtype, data, {tensor.count}); };
    at::Tensor parameter = array(tensor.parameter), gradient = gradient_of(place, args, tensor);
    at::Tensor moment1 = array(tensor.state1), moment2 = array(tensor.state2);
    if (args.decoupled)
      parameter.mul_(1 - rate * tensor.weight_decay);
    else if (tensor.weight_decay != 0)
      gradient = at::add(gradient, parameter, tensor.weight_decay);
    moment1.mul_(args.beta1).add_(gradient, 1 - args.beta1);
    moment2.mul_(args.beta2).addcmul_(gradient, gradient, 1 - args.beta2);
    const at::Tensor denominator = moment2.sqrt().div_(std::sqrt(correction2)).add_(args.epsilon);
    parameter.addcdiv_(moment1, denominator, -rate / correction1);
  }
}

void clip_gradients(const Place& place, const ClipGradientsArgs& args) {
  at::Tensor factor = place.f32(args.factor, {1});
  at::Tensor squares = at::zeros({1}, factor.options().dtype(at::kDouble));
  for (int64_t i = 0; i < args.tensor_count; ++i) {
    const at::Tensor gradient = place.reals(args.dtype, args.tensors[i].gradient, {args.tensors[i].count});
    squares.add_(at::sum(gradient.to(at::kDouble).square()));
  }
  factor.copy_(squares.sqrt_().add_(1e-6).reciprocal_().mul_(args.max_norm).clamp_max_(1));
}

void moving_average(const Place& place, const MovingAverageArgs& args) {
  const auto t = static_cast<double>(*args.step);
  const double decay = args.ramp ? std::min(args.decay, (1 + t) / (10 + t)) : args.decay;
  for (int64_t i = 0; i < args.tensor_count; ++i) {
    const OptimizerTensor& tensor = args.tensors[i];
    at::Tensor average = place.reals(args.dtype, tensor.state1, {tensor.count});
    average.mul_(decay).add_(place.reals(args.dtype, tensor.parameter, {tensor.count}), 1 - decay);
  }
}

}  // namespace cairn::torch
