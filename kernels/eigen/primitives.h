// The primitives of the eigen implementation, one function each, behind the table in backend.cpp.
#pragma once

#include "kernels/cpu/stream.h"

namespace cairn::eigen {

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
// reduce.cpp
void bias_backward(Stream&, const BiasBackwardArgs&);
void bias_relu_backward(Stream&, const BiasReluBackwardArgs&);
void sum(Stream&, const SumArgs&);
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
// optimizer.cpp
void sgd(Stream&, const SgdArgs&);
void adam(Stream&, const AdamArgs&);

}  // namespace cairn::eigen
