// The primitives of the cudnn implementation. Everything that is not here falls back on vanilla.
#pragma once

#include "kernels/cudnn/stream.h"

namespace cairn::cudnn {

void gemm(Stream& stream, const GemmArgs& args);
void conv2d_forward(Stream& stream, const Conv2dForwardArgs& args);
void conv2d_backward_data(Stream& stream, const Conv2dBackwardDataArgs& args);
void conv2d_backward_filter(Stream& stream, const Conv2dBackwardFilterArgs& args);
void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args);
void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args);

// The rungs of the convolutions.
const KernelVariant* variants(int32_t* count);

}  // namespace cairn::cudnn
