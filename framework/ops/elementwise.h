// Elementwise ops and views. Every op returns a new tensor of its input's shape unless it says otherwise.
// Not here: activations (activations.h).
#pragma once

#include "framework/tensor.h"

namespace cairn {

Tensor add(const Tensor& a, const Tensor& b);          // a + b, of one shape
Tensor multiply(const Tensor& a, const Tensor& b);     // a * b, element by element, of one shape
Tensor scale(const Tensor& x, double factor);          // factor * x
Tensor add_bias(const Tensor& x, const Tensor& bias);  // x: N x C; bias: C

// With the mask of (seed, layer, *step): element i is dropped when its Philox uniform is below `probability`, and the
// rest are scaled by 1 / (1 - probability) (inverted dropout, Srivastava et al. 2014). step: i64 tensor of one element.
Tensor dropout(const Tensor& x, double probability, uint64_t seed, uint32_t layer, const Tensor& step);

// min(high, max(low, x + deviation * normal(seed, layer, *step, element))): the draws of the same counters as
// dropout's. No gradient. step: i64 tensor of one element.
Tensor add_noise(const Tensor& x, double deviation, double low, double high, uint64_t seed, uint32_t layer,
                 const Tensor& step);

Tensor reshape(const Tensor& x, Shape shape);  // the same elements, in the same storage
Tensor flatten(const Tensor& x);               // N x C x H x W to N x (C H W)

}  // namespace cairn
