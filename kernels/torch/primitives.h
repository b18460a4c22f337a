// The torch implementation's primitives, each computed by ATen, and what they share: arrays of the seam as tensors. Not
// here: streams, errors and the table of entries (plugin.cpp).
//
// An entry is a function of a Place, which says where the arrays lie, and of its arguments. It runs in inference mode,
// on the stream's number of threads. Nothing here waits for a GPU.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/backend.h"

namespace cairn::torch {

class Place {
 public:
  explicit Place(at::Device device) : device_(device) {}
  at::Device device() const { return device_; }

  // An array as a tensor that shares its memory; without strides it is dense. Throws for a type that ATen's
  // floating-point entries do not have.
  at::Tensor reals(DType dtype, const void* data, at::IntArrayRef sizes, at::IntArrayRef strides = {}) const;
  at::Tensor i32(const int32_t* data, at::IntArrayRef sizes) const { return view(at::kInt, data, sizes, {}); }
  at::Tensor i64(const int64_t* data, at::IntArrayRef sizes) const { return view(at::kLong, data, sizes, {}); }
  at::Tensor f64(const double* data, at::IntArrayRef sizes) const { return view(at::kDouble, data, sizes, {}); }
  at::Tensor f32(const float* data, at::IntArrayRef sizes) const { return view(at::kFloat, data, sizes, {}); }
  // The rows of x, converted: rows x columns.
  at::Tensor rows(const ByteRows& x, at::ScalarType type = at::kFloat) const;

 private:
  at::Tensor view(at::ScalarType type, const void* data, at::IntArrayRef sizes, at::IntArrayRef strides) const;

  at::Device device_;
};

// out = value, or out += value.
void store(at::Tensor out, const at::Tensor& value, bool accumulate);
// dy where the output y of a ReLU is positive, 0 elsewhere.
at::Tensor where_positive(const at::Tensor& y, const at::Tensor& dy);
// Which of `count` values dropout keeps, by Cairn's draws: bool, on the CPU.
at::Tensor keep_mask(int64_t count, uint64_t seed, uint32_t stream, uint32_t step, double probability);

// products.cpp
void gemm(const Place&, const GemmArgs&);
void byte_linear_forward(const Place&, const ByteLinearForwardArgs&);
void byte_linear_backward_weight(const Place&, const ByteLinearBackwardWeightArgs&);
void gather_bytes(const Place&, const GatherBytesArgs&);
// elementwise.cpp
void add(const Place&, const BinaryArgs&);
void multiply(const Place&, const BinaryArgs&);
void scale(const Place&, const ScaleArgs&);
void bias_forward(const Place&, const BiasForwardArgs&);
void bias_backward(const Place&, const BiasBackwardArgs&);
void bias_relu_backward(const Place&, const BiasReluBackwardArgs&);
void relu_forward(const Place&, const ReluForwardArgs&);
void relu_backward(const Place&, const ReluBackwardArgs&);
void tanh_forward(const Place&, const TanhForwardArgs&);
void tanh_backward(const Place&, const TanhBackwardArgs&);
void copy_rows(const Place&, const CopyRowsArgs&);
void dropout(const Place&, const DropoutArgs&);  // on the CPU only
// convolution.cpp
void conv2d_forward(const Place&, const Conv2dForwardArgs&);
void conv2d_backward_data(const Place&, const Conv2dBackwardDataArgs&);
void conv2d_backward_filter(const Place&, const Conv2dBackwardFilterArgs&);
void conv2d_backward_bias(const Place&, const Conv2dBackwardBiasArgs&);
// pooling.cpp
void max_pool_forward(const Place&, const MaxPoolForwardArgs&);
void max_pool_backward(const Place&, const MaxPoolBackwardArgs&);
void average_pool_forward(const Place&, const AveragePoolForwardArgs&);
void average_pool_backward(const Place&, const AveragePoolBackwardArgs&);
// normalisation.cpp
void batch_norm_forward(const Place&, const BatchNormForwardArgs&);
void batch_norm_backward(const Place&, const BatchNormBackwardArgs&);
void local_response_norm_forward(const Place&, const LocalResponseNormForwardArgs&);
void local_response_norm_backward(const Place&, const LocalResponseNormBackwardArgs&);
// losses.cpp
void softmax_forward(const Place&, const SoftmaxForwardArgs&);
void softmax_backward(const Place&, const SoftmaxBackwardArgs&);
void cross_entropy_forward(const Place&, const CrossEntropyForwardArgs&);
void cross_entropy_backward(const Place&, const CrossEntropyBackwardArgs&);
void squared_error_forward(const Place&, const SquaredErrorForwardArgs&);
void squared_error_backward(const Place&, const SquaredErrorBackwardArgs&);
void sum(const Place&, const SumArgs&);
void broadcast_scalar(const Place&, const BroadcastScalarArgs&);
void argmax(const Place&, const ArgmaxArgs&);
void classification_metrics(const Place&, const ClassificationMetricsArgs&);
// optimizers.cpp, on the CPU only: they read the step's number
void sgd(const Place&, const SgdArgs&);
void adam(const Place&, const AdamArgs&);

}  // namespace cairn::torch
