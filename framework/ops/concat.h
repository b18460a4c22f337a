// Concatenation as a differentiable op.
#pragma once

#include <span>

#include "framework/tensor.h"

namespace cairn {

// The parts one after another along the channels (dimension 1): N x C1 x ..., N x C2 x ... to N x (C1 + C2 + ...) x ...
// Errors: ShapeError.
Tensor concat(std::span<const Tensor> parts);

}  // namespace cairn
