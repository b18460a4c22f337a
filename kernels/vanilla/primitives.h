// What the hand-written kernels share on the host side: the primitives' names, the stream of this form (GPU or CPU) and
// the arithmetic of launches. Not here: device code (warp.h) and the kernels.
//
// Every .cu file of this folder is compiled twice: by nvcc for the GPU, and by the host compiler against
// kernels/runtime/simt. CAIRN_VANILLA is the namespace of the form that is being compiled, vanilla_cuda or vanilla_cpu.
// The GPU form compiles for sm_80 and sm_90. Of the kernels that multiply, on sm_90 three forms of gemm rung 7 spill 4
// bytes, one of rung 5 32 and one average pool's gradient 16 (scripts/sass_facts lists them). It has not yet run on a
// GPU.
#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "kernels/backend.h"
#include "kernels/runtime/simt/cuda_source.h"
#if defined(__CUDACC__)
#include "kernels/runtime/cuda/stream.h"
#else
#include "kernels/runtime/cpu/stream.h"
#endif

namespace cairn::CAIRN_VANILLA {

#if defined(__CUDACC__)
namespace device = cairn::cuda;
constexpr bool kOnGpu = true;
#else
namespace device = cairn::cpu;
constexpr bool kOnGpu = false;
#endif
using device::Stream;

inline void require_f32(DType dtype, const char* primitive) {
  if (dtype != DType::f32)
    throw std::invalid_argument(std::string("vanilla: ") + primitive +
                                " takes f32 arrays only; the reference implementation has f64");
}

// How many groups of `size` cover `count`.
constexpr int64_t divide_up(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

// A grid's x extent (at most 2^31 - 1 blocks).
inline unsigned grid_x(int64_t blocks) {
  if (blocks > INT32_MAX) throw std::invalid_argument("vanilla: an array is too large for one launch");
  return static_cast<unsigned>(blocks);
}

// For elementwise kernels: one thread an element. (Not a loop with a stride of the whole grid: on the CPU one thread
// after the other runs, and neighbouring threads on neighbouring elements become a vectorised loop.)
constexpr unsigned kElementBlock = 256;
inline unsigned element_grid(int64_t count) {
  return grid_x(divide_up(count, kElementBlock));
}

// What the slices of a split sum may take of the workspace (8 MB): it bounds how finely a sum is split.
constexpr int64_t kWorkspaceFloats = int64_t{2} << 20;

// gemm/gemm.cu
void gemm(Stream&, const GemmArgs&);
void byte_linear_forward(Stream&, const ByteLinearForwardArgs&);
void byte_linear_backward_weight(Stream&, const ByteLinearBackwardWeightArgs&);
std::span<const KernelVariant> gemm_rungs();
// conv2d/conv2d.cu, conv2d/bias_gradient.cu
void conv2d_forward(Stream&, const Conv2dForwardArgs&);
void conv2d_backward_data(Stream&, const Conv2dBackwardDataArgs&);
void conv2d_backward_filter(Stream&, const Conv2dBackwardFilterArgs&);
void conv2d_backward_bias(Stream&, const Conv2dBackwardBiasArgs&);
std::span<const KernelVariant> conv2d_rungs();
// elementwise.cu
void add(Stream&, const BinaryArgs&);
void multiply(Stream&, const BinaryArgs&);
void scale(Stream&, const ScaleArgs&);
void broadcast_scalar(Stream&, const BroadcastScalarArgs&);
void copy_rows(Stream&, const CopyRowsArgs&);
void relu_forward(Stream&, const ReluForwardArgs&);
void relu_backward(Stream&, const ReluBackwardArgs&);
void tanh_forward(Stream&, const TanhForwardArgs&);
void tanh_backward(Stream&, const TanhBackwardArgs&);
// bias.cu
void bias_forward(Stream&, const BiasForwardArgs&);
void bias_backward(Stream&, const BiasBackwardArgs&);
void bias_relu_backward(Stream&, const BiasReluBackwardArgs&);
// pooling.cu
void max_pool_forward(Stream&, const MaxPoolForwardArgs&);
void max_pool_backward(Stream&, const MaxPoolBackwardArgs&);
void average_pool_forward(Stream&, const AveragePoolForwardArgs&);
void average_pool_backward(Stream&, const AveragePoolBackwardArgs&);
// normalisation.cu
void batch_norm_forward(Stream&, const BatchNormForwardArgs&);
void batch_norm_backward(Stream&, const BatchNormBackwardArgs&);
void local_response_norm_forward(Stream&, const LocalResponseNormForwardArgs&);
void local_response_norm_backward(Stream&, const LocalResponseNormBackwardArgs&);
// softmax.cu
void softmax_forward(Stream&, const SoftmaxForwardArgs&);
void softmax_backward(Stream&, const SoftmaxBackwardArgs&);
void cross_entropy_forward(Stream&, const CrossEntropyForwardArgs&);
void cross_entropy_backward(Stream&, const CrossEntropyBackwardArgs&);
// reductions.cu
void sum(Stream&, const SumArgs&);
void squared_error_forward(Stream&, const SquaredErrorForwardArgs&);
void squared_error_backward(Stream&, const SquaredErrorBackwardArgs&);
void argmax(Stream&, const ArgmaxArgs&);
void classification_metrics(Stream&, const ClassificationMetricsArgs&);
// batches.cu
void select_batch(Stream&, const SelectBatchArgs&);
void gather_bytes(Stream&, const GatherBytesArgs&);
void finish_step(Stream&, const FinishStepArgs&);
// random.cu
void uniform(Stream&, const RandomArgs&);
void normal(Stream&, const RandomArgs&);
void dropout(Stream&, const DropoutArgs&);
void add_noise(Stream&, const AddNoiseArgs&);
// optimizers.cu
void sgd(Stream&, const SgdArgs&);
void adam(Stream&, const AdamArgs&);
// sgd_steps/sgd_steps.cu
void sgd_steps(Stream&, const SgdStepsArgs&);
std::span<const KernelVariant> sgd_steps_rungs();

}  // namespace cairn::CAIRN_VANILLA
