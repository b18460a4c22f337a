// The stream of the cudnn implementation: a CUDA stream with the handles of cuBLASLt and cuDNN, and the matrix
// products prepared so far. Not here: the primitives (primitives.h). Not yet run on a GPU.
#pragma once

#include <cublasLt.h>
#include <cudnn.h>

#include <array>
#include <map>

#include "kernels/cuda/stream.h"

namespace cairn::cudnn {

// Throw "<what>: <the library's name of the error>: <its text>".
void check(cublasStatus_t status, const char* what);
void check(cudnnStatus_t status, const char* what);

// A matrix product of one shape: its descriptors and the algorithm that cuBLASLt's heuristic chose for it.
struct GemmPlan {
  cublasLtMatmulDescOpaque_t operation;
  cublasLtMatrixLayoutOpaque_t left, right, result;
  cublasLtMatmulAlgo_t algorithm;
  size_t workspace_bytes;
};
// Shape, leading dimensions, transposes, epilogue and alignment of the pointers.
using GemmKey = std::array<int64_t, 11>;

class Stream : public cuda::Stream {
 public:
  explicit Stream(const StreamOptions& options);
  ~Stream() override;

  std::string description() const override;

  cublasLtHandle_t cublas = nullptr;
  cudnnHandle_t cudnn = nullptr;
  std::map<GemmKey, GemmPlan> gemm_plans;
};

}  // namespace cairn::cudnn
