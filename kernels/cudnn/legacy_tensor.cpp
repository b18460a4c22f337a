#include "kernels/cudnn/legacy_tensor.h"

#include <cstdint>
#include <stdexcept>
#include <string>

namespace cairn::cudnn {

LegacyTensor::LegacyTensor(int64_t batch, int64_t channels, int64_t height, int64_t width, const char* what) {
  int64_t left = INT32_MAX;
  for (const int64_t size : {batch, channels, height, width}) left /= size > 0 ? size : 1;
  if (left == 0)
    throw std::runtime_error(std::string("cudnn's ") + what + " takes fewer than 2^31 values, not " +
                             std::to_string(batch) + " x " + std::to_string(channels) + " x " + std::to_string(height) +
                             " x " + std::to_string(width));
  check(cudnnCreateTensorDescriptor(&descriptor_), what);
  const cudnnStatus_t status =
      cudnnSetTensor4dDescriptor(descriptor_, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, static_cast<int>(batch),
                                 static_cast<int>(channels), static_cast<int>(height), static_cast<int>(width));
  if (status != CUDNN_STATUS_SUCCESS) cudnnDestroyTensorDescriptor(descriptor_);
  check(status, what);
}

}  // namespace cairn::cudnn
