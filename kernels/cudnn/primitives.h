// The primitives of the cudnn implementation. Everything that is not here falls back on vanilla.
#pragma once

#include "kernels/cudnn/stream.h"

namespace cairn::cudnn {

void gemm(Stream& stream, const GemmArgs& args);
void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args);
void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args);

}  // namespace cairn::cudnn
