// Ops on sequences: rows of a table by number, and the gated recurrent unit. Not here: their layers with parameters
// (framework/nn/sequence_layers.h). Errors: ShapeError.
#pragma once

#include "framework/tensor.h"

namespace cairn {

// weight's rows by number: ids (i32, any shape) x features. A number that is no row gives nan, and no gradient.
// weight: vocabulary x features. The gradient of row padding_index (-1: none) is 0.
Tensor embedding(const Tensor& weight, const Tensor& ids, int64_t padding_index = -1);

struct GruWeights {
  Tensor weight_ih, weight_hh;  // 3 hidden x inputs, 3 hidden x hidden: rows of r, then z, then n
  Tensor bias_ih, bias_hh;      // 3 hidden
};

// The formula is GruForwardArgs's (kernels/sequence_args.h), cuDNN's and PyTorch's. x: N x time x inputs.
// h0: N x hidden; not defined: zeros. Returns the last step's state, N x hidden, or with all_steps each one's,
// N x time x hidden.
Tensor gru(const Tensor& x, const Tensor& h0, const GruWeights& weights, bool all_steps = false);

}  // namespace cairn
