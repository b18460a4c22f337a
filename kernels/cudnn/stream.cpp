// Opening and closing cuBLASLt and cuDNN, and their errors. Not here: the primitives.
#include "kernels/cudnn/stream.h"

#include <stdexcept>

namespace cairn::cudnn {

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": " + cublasLtGetStatusName(status) + ": " +
                           cublasLtGetStatusString(status));
}

// cuDNN keeps one line or more on its last failure; the first says what it was.
void check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char text[512] = "";
  cudnnGetLastErrorString(text, sizeof text);
  const std::string detail(text);
  throw std::runtime_error(std::string(what) + ": " + cudnnGetErrorString(status) + ": " +
                           detail.substr(0, detail.find('\n')));
}

Stream::Stream(const StreamOptions& options) : cuda::Stream(options) {
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
  cudnnDestroy(cudnn);
  cublasLtDestroy(cublas);
}

std::string Stream::description() const {
  const size_t blas = cublasLtGetVersion(), dnn = cudnnGetVersion();  // 130100 is 13.1.0, 91900 is 9.19.0
  const auto text = [](size_t major, size_t minor, size_t patch) {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  };
  return cuda::Stream::description() + ", cuBLASLt " + text(blas / 10000, blas / 100 % 100, blas % 100) + ", cuDNN " +
         text(dnn / 10000, dnn / 100 % 100, dnn % 100);
}

}  // namespace cairn::cudnn
