// Opening and closing cuBLASLt and cuDNN, and their errors. Not here: the primitives.
#include "kernels/cudnn/stream.h"

#include <stdexcept>

namespace cairn::cudnn {

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": " + cublasLtGetStatusName(status) + ": " +
                           cublasLtGetStatusString(status));
}

Stream::Stream(const StreamOptions& options) : cuda::Stream(options), autotune(options.autotune != 0) {
  try {
    check(cublasLtCreate(&cublas), "opening cuBLASLt");
    check(cudnnCreate(&cudnn), "opening cuDNN");
    check(cudnnSetStream(cudnn, handle), "giving cuDNN its stream");
  } catch (...) {
    if (cudnn) cudnnDestroy(cudnn);
    if (cublas) cublasLtDestroy(cublas);
    throw;
  }
}

Stream::~Stream() {
  if (cudaSetDevice(ordinal) != cudaSuccess) return;  // as in the base's
  cudaStreamSynchronize(handle);
  for (void* pointer : zeros_) cudaFree(pointer);
  convolution_plans.clear();  // before the handle that they were made with
  pool_plans.clear();
  gru_plans.clear();
  cudnnDestroy(cudnn);
  cublasLtDestroy(cublas);
}

const void* Stream::zeros(int64_t count) {
  if (count > zeros_count_) {
    forbid_while_capturing("an array of zeros had to grow");
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    zeros_.reserve(zeros_.size() + 1);
    zeros_.push_back(allocate(bytes));
    cuda::check(cudaMemsetAsync(zeros_.back(), 0, bytes, handle), "filling GPU memory");
    zeros_count_ = count;
  }
  return zeros_.empty() ? nullptr : zeros_.back();
}

std::string Stream::description() const {
  const size_t blas = cublasLtGetVersion(), dnn = cudnnGetVersion();  // 130100 is 13.1.0, 91900 is 9.19.0
  const auto text = [](size_t major, size_t minor, size_t patch) {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  };
  std::string choice = autotune ? ", timing its convolutions" : "";
  for (const auto& [primitive, rung] : rungs.all())
    if (rung == kTimedAnyOrder) choice += ", " + primitive + " not bitwise reproducible";
  return cuda::Stream::description() + ", cuBLASLt " + text(blas / 10000, blas / 100 % 100, blas % 100) + ", cuDNN " +
         text(dnn / 10000, dnn / 100 % 100, dnn % 100) + choice;
}

}  // namespace cairn::cudnn
