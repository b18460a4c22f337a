// The manifest of the cudnn implementation: NVIDIA's libraries where they have the primitive, vanilla for the rest.
#include "kernels/cudnn/backend.h"

#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {

const Backend& backend() {
  using cuda::entry;
  static const Backend instance = cuda::with_services({
      .name = "cudnn",
      .falls_back = "vanilla",
      .supports_f64 = 0,
      .summary = "cuBLASLt and cuDNN: matrix products and convolutions with bias and ReLU, softmax",
      .open_stream = cuda::open_stream<Stream>,
      .variants = variants,
      .gemm = entry<gemm>,
      .conv2d_forward = entry<conv2d_forward>,
      .conv2d_backward_data = entry<conv2d_backward_data>,
      .conv2d_backward_filter = entry<conv2d_backward_filter>,
      .softmax_forward = entry<softmax_forward>,
      .softmax_backward = entry<softmax_backward>,
  });
  return instance;
}

}  // namespace cairn::cudnn
