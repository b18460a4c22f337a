// The primitives of the cudnn implementation. Everything that is not here falls back on vanilla, and so does a call for
// which one of those that return bool returns false: it has then done nothing.
#pragma once

#include "kernels/cudnn/stream.h"

namespace cairn::cudnn {

void gemm(Stream& stream, const GemmArgs& args);
void conv2d_forward(Stream& stream, const Conv2dForwardArgs& args);
void conv2d_backward_data(Stream& stream, const Conv2dBackwardDataArgs& args);
void conv2d_backward_filter(Stream& stream, const Conv2dBackwardFilterArgs& args);
bool max_pool_forward(Stream& stream, const MaxPoolForwardArgs& args);
bool average_pool_forward(Stream& stream, const AveragePoolForwardArgs& args);
bool average_pool_backward(Stream& stream, const AveragePoolBackwardArgs& args);
bool batch_norm_forward(Stream& stream, const BatchNormForwardArgs& args);
bool batch_norm_backward(Stream& stream, const BatchNormBackwardArgs& args);
bool local_response_norm_forward(Stream& stream, const LocalResponseNormForwardArgs& args);
bool gru_forward(Stream& stream, const GruForwardArgs& args);
bool gru_backward(Stream& stream, const GruBackwardArgs& args);
void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args);
void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args);

// Elements that `reserve` has; false: as many as vanilla's, whose calls these then are.
bool gru_reserve(Stream& stream, const GruShape& shape, int64_t& count);

// vanilla's `add`, for the gradients that cuDNN does not add to what is there. Throws its error.
void add_by_vanilla(Stream& stream, const BinaryArgs& args);

// The rungs of the convolutions.
const KernelVariant* variants(int32_t* count);

}  // namespace cairn::cudnn
