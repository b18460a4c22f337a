// The primitives of the simd implementation, one function each, behind the table in backend.cpp.
#pragma once

#include "kernels/runtime/cpu/stream.h"

namespace cairn::simd {

using cpu::Stream;

// gemm.cpp
void gemm(Stream&, const GemmArgs&);
// byte_linear.cpp
void byte_linear_forward(Stream&, const ByteLinearForwardArgs&);
void byte_linear_backward_weight(Stream&, const ByteLinearBackwardWeightArgs&);
// elementwise.cpp
void add(Stream&, const BinaryArgs&);
void multiply(Stream&, const BinaryArgs&);
void scale(Stream&, const ScaleArgs&);
void bias_forward(Stream&, const BiasForwardArgs&);
void relu_forward(Stream&, const ReluForwardArgs&);
void relu_backward(Stream&, const ReluBackwardArgs&);
void tanh_forward(Stream&, const TanhForwardArgs&);
void tanh_backward(Stream&, const TanhBackwardArgs&);
void broadcast_scalar(Stream&, const BroadcastScalarArgs&);
void copy_rows(Stream&, const CopyRowsArgs&);
void squared_error_backward(Stream&, const SquaredErrorBackwardArgs&);
// reduce.cpp
void bias_backward(Stream&, const BiasBackwardArgs&);
void bias_relu_backward(Stream&, const BiasReluBackwardArgs&);
void sum(Stream&, const SumArgs&);
void squared_error_forward(Stream&, const SquaredErrorForwardArgs&);
// conv2d.cpp
void conv2d_forward(Stream&, const Conv2dForwardArgs&);
void conv2d_backward_data(Stream&, const Conv2dBackwardDataArgs&);
void conv2d_backward_bias(Stream&, const Conv2dBackwardBiasArgs&);
// conv2d_filter.cpp
void conv2d_backward_filter(Stream&, const Conv2dBackwardFilterArgs&);
// pooling.cpp
void max_pool_forward(Stream&, const MaxPoolForwardArgs&);
void max_pool_backward(Stream&, const MaxPoolBackwardArgs&);
void average_pool_forward(Stream&, const AveragePoolForwardArgs&);
void average_pool_backward(Stream&, const AveragePoolBackwardArgs&);
// normalisation.cpp
void batch_norm_forward(Stream&, const BatchNormForwardArgs&);
void batch_norm_backward(Stream&, const BatchNormBackwardArgs&);
void local_response_norm_forward(Stream&, const LocalResponseNormForwardArgs&);
void local_response_norm_backward(Stream&, const LocalResponseNormBackwardArgs&);
// softmax.cpp
void softmax_forward(Stream&, const SoftmaxForwardArgs&);
void softmax_backward(Stream&, const SoftmaxBackwardArgs&);
void cross_entropy_forward(Stream&, const CrossEntropyForwardArgs&);
void cross_entropy_backward(Stream&, const CrossEntropyBackwardArgs&);
// metrics.cpp
void argmax(Stream&, const ArgmaxArgs&);
void classification_metrics(Stream&, const ClassificationMetricsArgs&);
// batch.cpp
void select_batch(Stream&, const SelectBatchArgs&);
void gather_bytes(Stream&, const GatherBytesArgs&);
void finish_step(Stream&, const FinishStepArgs&);
// random.cpp
void uniform(Stream&, const RandomArgs&);
void normal(Stream&, const RandomArgs&);
void dropout(Stream&, const DropoutArgs&);
void add_noise(Stream&, const AddNoiseArgs&);
// optimizer.cpp
void sgd(Stream&, const SgdArgs&);
void adam(Stream&, const AdamArgs&);

}  // namespace cairn::simd
