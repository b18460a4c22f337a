#include "framework/ops/activations.h"

#include "framework/autograd.h"
#include "framework/ops/check.h"

namespace cairn {
namespace {

// What an activation's gradient is computed from.
enum class Kept { input, output };

// y = f(x), element by element. kept: where the backward pass's arguments have what it starts from.
template <class Forward, class Backward>
Tensor activate(const char* name, Primitive<Forward> Backend::*forward, Primitive<Backward> Backend::*backward,
                const void* Backward::*kept, Kept which, const Tensor& x) {
  check::values(name, "x", x);
  Tensor y = Tensor::empty(x.device(), x.shape(), x.dtype(), name);
  x.device()->call(forward, Forward{.dtype = x.dtype(), .count = x.count(), .x = x.data(), .y = y.data()});
  if (!needs_gradient({x})) return y;
  const Tensor saved = (which == Kept::output ? y : x).detach();
  record(y, name, {x}, [backward, kept, saved](const Tensor& dy, Gradients& gradients) {
    const auto dx = gradients.destination(0);
    if (!dx) return;
    Backward args{.dtype = dy.dtype(),
                  .count = dy.count(),
                  .dy = dy.data(),
                  .dx = dx->gradient.data(),
                  .accumulate = dx->accumulate};
    args.*kept = saved.data();
    dy.device()->call(backward, args);
  });
  return y;
}

}  // namespace

Tensor relu(const Tensor& x) {
  return activate("relu", &Backend::relu_forward, &Backend::relu_backward, &ReluBackwardArgs::y, Kept::output, x);
}

Tensor tanh(const Tensor& x) {
  return activate("tanh", &Backend::tanh_forward, &Backend::tanh_backward, &TanhBackwardArgs::y, Kept::output, x);
}

Tensor sigmoid(const Tensor& x) {
  return activate("sigmoid", &Backend::sigmoid_forward, &Backend::sigmoid_backward, &SigmoidBackwardArgs::y,
                  Kept::output, x);
}

Tensor gelu(const Tensor& x) {
  return activate("gelu", &Backend::gelu_forward, &Backend::gelu_backward, &GeluBackwardArgs::x, Kept::input, x);
}

}  // namespace cairn
