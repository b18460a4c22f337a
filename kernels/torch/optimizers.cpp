// Optimizers as torch::optim writes them, tensor by tensor. On the CPU only: the step's number and its learning rate
// are read here, which on a GPU would mean waiting for it.
#include <ATen/ops/add.h>

#include <cmath>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

template <class Args>
double learning_rate(const Args& args) {
  return static_cast<double>(args.learning_rates[*args.step % args.learning_rate_count]);
}

}  // namespace

void sgd(const Place& place, const SgdArgs& args) {
  const double rate = learning_rate(args);
  for (int64_t i = 0; i < args.tensor_count; ++i) {
    const OptimizerTensor& tensor = args.tensors[i];
    const auto array = [&](const void* data) { return place.reals(args.dtype, data, {tensor.count}); };
    at::Tensor parameter = array(tensor.parameter), update = array(tensor.gradient);
    if (args.weight_decay != 0) update = at::add(update, parameter, args.weight_decay);
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
    at::Tensor parameter = array(tensor.parameter), gradient = array(tensor.gradient);
    at::Tensor moment1 = array(tensor.state1), moment2 = array(tensor.state2);
    if (args.decoupled)
      parameter.mul_(1 - rate * args.weight_decay);
    else if (args.weight_decay != 0)
      gradient = at::add(gradient, parameter, args.weight_decay);
    moment1.mul_(args.beta1).add_(gradient, 1 - args.beta1);
    moment2.mul_(args.beta2).addcmul_(gradient, gradient, 1 - args.beta2);
    const at::Tensor denominator = moment2.sqrt().div_(std::sqrt(correction2)).add_(args.epsilon);
    parameter.addcdiv_(moment1, denominator, -rate / correction1);
  }
}

}  // namespace cairn::torch
