// The gated recurrent unit through time, at::gru. Its gradients are autograd's, which needs the forward pass once more:
// nothing is kept in `reserve`.
#include <ATen/ops/gru.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

// What goes into a unit. Biases are two or none to ATen.
struct Inputs {
  at::Tensor x, h0;
  std::vector<at::Tensor> parameters;
};

template <class Args>
Inputs inputs_of(const Place& place, const Args& args) {
  const int64_t batch = args.shape.batch, time = args.shape.time, inputs = args.shape.inputs,
                hidden = args.shape.hidden;
  Inputs all;
  all.x = place.reals(args.dtype, args.x, {batch, time, inputs});
  const auto or_zeros = [&](const void* data, at::IntArrayRef sizes) {
    return data ? place.reals(args.dtype, data, sizes) : at::zeros(sizes, all.x.options());
  };
  all.h0 = or_zeros(args.h0, {1, batch, hidden});
  all.parameters = {place.reals(args.dtype, args.weight_ih, {3 * hidden, inputs}),
                    place.reals(args.dtype, args.weight_hh, {3 * hidden, hidden})};
  bool biases = args.bias_ih || args.bias_hh;
  if constexpr (requires { args.dbias_ih; }) biases = biases || args.dbias_ih || args.dbias_hh;
  if (biases) {
    all.parameters.push_back(or_zeros(args.bias_ih, {3 * hidden}));
    all.parameters.push_back(or_zeros(args.bias_hh, {3 * hidden}));
  }
  return all;
}

// Of all steps, or of the last.
at::Tensor states_of(const Inputs& in, bool last_only) {
  const auto [all, last] = at::gru(in.x, in.h0, in.parameters, in.parameters.size() == 4, 1, 0, false, false, true);
  return last_only ? last[0] : all;
}

}  // namespace

void gru_forward(const Place& place, const GruForwardArgs& args) {
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  if (batch == 0 || hidden == 0 || (time == 0 && !args.last_only)) return;
  at::Tensor y = args.last_only ? place.reals(args.dtype, args.y, {batch, hidden})
                                : place.reals(args.dtype, args.y, {batch, time, hidden});
  const Inputs in = inputs_of(place, args);
  y.copy_(time == 0 ? in.h0[0] : states_of(in, args.last_only));
}

void gru_backward(const Place& place, const GruBackwardArgs& args) {
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  const c10::InferenceMode with_gradients(false);
  const Inputs in = inputs_of(place, args);
  const bool none = batch == 0 || time == 0 || hidden == 0;  // of the steps
  std::vector<at::Tensor> asked, destinations;
  std::vector<int32_t> accumulate;
  const auto ask = [&](const at::Tensor& of, void* to, int32_t adds) {
    if (!to) return;
    destinations.push_back(place.reals(args.dtype, to, of.sizes()));
    accumulate.push_back(adds);
    asked.push_back(of);
    asked.back().requires_grad_();
  };
  ask(in.x, args.dx, args.accumulate_dx);
  ask(in.h0, args.dh0, args.accumulate_dh0);
  ask(in.parameters[0], args.dweight_ih, args.accumulate_dweight_ih);
  ask(in.parameters[1], args.dweight_hh, args.accumulate_dweight_hh);
  if (in.parameters.size() == 4) {
    ask(in.parameters[2], args.dbias_ih, args.accumulate_dbias_ih);
    ask(in.parameters[3], args.dbias_hh, args.accumulate_dbias_hh);
  }
  if (asked.empty()) return;
  std::vector<at::Tensor> gradients;
  if (!none) {
    const at::AutoGradMode record(true);
    const at::Tensor y = states_of(in, args.last_only);
    gradients = ::torch::autograd::grad({y}, asked, {place.reals(args.dtype, args.dy, y.sizes())});
  }
  for (size_t i = 0; i < asked.size(); ++i) {
    at::Tensor gradient = none ? at::zeros(asked[i].sizes(), in.x.options()) : gradients[i];
    if (none && time == 0 && args.last_only && asked[i].is_same(in.h0))
      gradient = place.reals(args.dtype, args.dy, in.h0.sizes());
    store(destinations[i], gradient, accumulate[i]);
  }
}

}  // namespace cairn::torch
