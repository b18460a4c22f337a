// The error check of every CUDA call. Not here: the stream and the error path of the seam (stream.h).
#pragma once

#include <cuda_runtime_api.h>

namespace cairn::cuda {

// Throws std::runtime_error "<what>: <CUDA's name of the error>: <CUDA's text>", and clears CUDA's own record of the
// error, so that the next check does not report it again.
[[noreturn]] void fail(cudaError_t error, const char* what);

inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) fail(error, what);
}

}  // namespace cairn::cuda
