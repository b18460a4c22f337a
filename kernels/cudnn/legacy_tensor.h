// The tensor descriptor of cuDNN's calls from before its graph API: softmax, and what the graph API has no engine for,
// batch and local response normalisation in N x C x H x W. Not yet run on a GPU.
#pragma once

#include "kernels/cudnn/stream.h"

namespace cairn::cudnn {

// A dense float tensor of batch x channels x height x width. Throws for more than 2^31 - 1 values, naming `what`.
class LegacyTensor {
 public:
  LegacyTensor(int64_t batch, int64_t channels, int64_t height, int64_t width, const char* what);
  ~LegacyTensor() { cudnnDestroyTensorDescriptor(descriptor_); }
  LegacyTensor(const LegacyTensor&) = delete;
  LegacyTensor& operator=(const LegacyTensor&) = delete;

  cudnnTensorDescriptor_t get() const { return descriptor_; }

 private:
  cudnnTensorDescriptor_t descriptor_ = nullptr;
};

}  // namespace cairn::cudnn
