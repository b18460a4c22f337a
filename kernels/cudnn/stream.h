// The stream of the cudnn implementation: a CUDA stream with the handles of cuBLASLt and cuDNN, and the matrix
// products and convolutions prepared so far. Not here: the primitives (primitives.h). Not yet run on a GPU.
#pragma once

#include <cublasLt.h>

#include <array>
#include <map>
#include <memory>

#include "kernels/cudnn/gru_plan.h"
#include "kernels/cudnn/plan.h"
#include "kernels/runtime/cuda/stream.h"

namespace cairn::cudnn {

// Throws "<what>: <cuBLAS's name of the error>: <its text>".
void check(cublasStatus_t status, const char* what);

// A matrix product of one shape: its descriptors and the algorithm that cuBLASLt's heuristic chose for it.
struct GemmPlan {
  cublasLtMatmulDescOpaque_t operation;
  cublasLtMatrixLayoutOpaque_t left, right, result;
  cublasLtMatmulAlgo_t algorithm;
  size_t workspace_bytes;
};
// Shape, leading dimensions, transposes, epilogue and alignment of the pointers.
using GemmKey = std::array<int64_t, 11>;

// How a convolution's plan is chosen: the number of its rung.
enum PlanChoice { kHeuristic = 1, kTimed = 2, kTimedAnyOrder = 3 };

// Kind, bias, ReLU, accumulate, alignments of the four arrays, shape.
using ConvolutionKey = std::array<int64_t, 23>;
// Kind, backward, alignments of the two arrays, shape.
using PoolKey = std::array<int64_t, 15>;
using GruKey = std::array<int64_t, 4>;  // the shape

// The largest power of two, up to 16, that divides the address: no engine loads more at once.
inline int64_t alignment(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer) | 16;
  return static_cast<int64_t>(address & -address);
}

class Stream : public cuda::Stream {
 public:
  explicit Stream(const StreamOptions& options);
  ~Stream() override;

  std::string description() const override;

  cublasLtHandle_t cublas = nullptr;
  cudnnHandle_t cudnn = nullptr;
  const bool autotune;  // the default rung of what has timed plans
  std::map<GemmKey, GemmPlan> gemm_plans;
  std::map<ConvolutionKey, Plan> convolution_plans;
  std::map<PoolKey, std::shared_ptr<const Plan>> pool_plans;  // null: cuDNN has none
  std::map<GruKey, std::shared_ptr<const GruPlan>> gru_plans;

  // At least so many floats of 0 in device memory. Grows, but never during capture.
  const void* zeros(int64_t count);

 private:
  int64_t zeros_count_ = 0;
  std::vector<void*> zeros_;  // the last one is in use; captured graphs may still refer to the others
};

}  // namespace cairn::cudnn
