// The reference implementation's primitives, and how they treat the two floating-point types. Not here: the seam's own
// conventions (kernels/backend.h).
//
// The rule of every file in this folder: values are read as float or double, all arithmetic and every sum is done in
// double, and a result is rounded once, when it is stored. So the float entries are as exact as a float can be, which
// is what an oracle is for. One thread, plain loops, in the order in which the formula of backend.h is written.
#pragma once

#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/backend.h"
#include "kernels/runtime/cpu/stream.h"

namespace cairn::reference {

using cpu::Stream;

template <class T>
struct Type {};

// Calls body(Type<float>{}) or body(Type<double>{}).
template <class Body>
void with_type(DType dtype, const char* primitive, const Body& body) {
  if (dtype == DType::f32) return body(Type<float>{});
  if (dtype == DType::f64) return body(Type<double>{});
  throw std::invalid_argument(std::string("reference: ") + primitive + " takes f32 or f64 arrays only");
}

// out = value or out += value.
template <class T>
void store(T& out, double value, int32_t accumulate) {
  out = static_cast<T>(accumulate ? out + value : value);
}

// max(0, value); nan stays nan.
inline double relu(double value) {
  return value < 0 ? 0 : value;
}

// First column of the row's maximum, or of its first nan.
template <class T>
int64_t first_maximum(const T* row, int64_t columns) {
  int64_t best = 0;
  for (int64_t c = 0; c < columns; ++c) {
    if (std::isnan(row[c])) return c;
    if (row[c] > row[best]) best = c;
  }
  return best;
}

// gemm.cpp
void gemm(Stream&, const GemmArgs&);
void byte_linear_forward(Stream&, const ByteLinearForwardArgs&);
void byte_linear_backward_weight(Stream&, const ByteLinearBackwardWeightArgs&);
// elementwise.cpp
void add(Stream&, const BinaryArgs&);
void multiply(Stream&, const BinaryArgs&);
void scale(Stream&, const ScaleArgs&);
void copy_rows(Stream&, const CopyRowsArgs&);
void tanh_forward(Stream&, const TanhForwardArgs&);
void tanh_backward(Stream&, const TanhBackwardArgs&);
void dropout(Stream&, const DropoutArgs&);
// bias_relu.cpp
void bias_forward(Stream&, const BiasForwardArgs&);
void bias_backward(Stream&, const BiasBackwardArgs&);
void bias_relu_backward(Stream&, const BiasReluBackwardArgs&);
void relu_forward(Stream&, const ReluForwardArgs&);
void relu_backward(Stream&, const ReluBackwardArgs&);
// conv2d.cpp
void conv2d_forward(Stream&, const Conv2dForwardArgs&);
void conv2d_backward_data(Stream&, const Conv2dBackwardDataArgs&);
void conv2d_backward_filter(Stream&, const Conv2dBackwardFilterArgs&);
void conv2d_backward_bias(Stream&, const Conv2dBackwardBiasArgs&);
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
// reductions.cpp
void squared_error_forward(Stream&, const SquaredErrorForwardArgs&);
void squared_error_backward(Stream&, const SquaredErrorBackwardArgs&);
void sum(Stream&, const SumArgs&);
void broadcast_scalar(Stream&, const BroadcastScalarArgs&);
void argmax(Stream&, const ArgmaxArgs&);
void classification_metrics(Stream&, const ClassificationMetricsArgs&);
// batches.cpp
void select_batch(Stream&, const SelectBatchArgs&);
void gather_bytes(Stream&, const GatherBytesArgs&);
void finish_step(Stream&, const FinishStepArgs&);
// random.cpp
void uniform(Stream&, const RandomArgs&);
void normal(Stream&, const RandomArgs&);
void add_noise(Stream&, const AddNoiseArgs&);
// optimizers.cpp
void sgd(Stream&, const SgdArgs&);
void adam(Stream&, const AdamArgs&);
// sgd_steps.cpp
void sgd_steps(Stream&, const SgdStepsArgs&);

}  // namespace cairn::reference
