// Matrix products as differentiable ops. Not here: the layer that owns weights (nn/layers.h).
#pragma once

#include "framework/tensor.h"

namespace cairn {

enum class Activation { none, relu };

// y = x weight^T + bias, then the activation.
// x: N x in, or a byte_rows tensor, whose bytes are read in place;  weight: out x in;  bias: out, or not defined.
// Returns N x out. Errors: ShapeError. x may have rank 2 only: flatten() first.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, Activation activation = Activation::none);

// c = a b.   a: M x K;  b: K x N;  c: M x N
Tensor matmul(const Tensor& a, const Tensor& b);

}  // namespace cairn
