// Activations: one function of every element. Each returns a new tensor of its input's shape.
#pragma once

#include "framework/tensor.h"

namespace cairn {

Tensor relu(const Tensor& x);     // max(0, x)
Tensor tanh(const Tensor& x);     // hyperbolic tangent
Tensor sigmoid(const Tensor& x);  // the logistic function, 1 / (1 + e^-x)
Tensor gelu(const Tensor& x);     // x times the normal distribution's probability of x

}  // namespace cairn
