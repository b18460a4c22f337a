// Row softmax through cuDNN: forward and backward. Not here: softmax with cross-entropy, which falls back on vanilla.
#include <stdexcept>
#include <string>

#include "kernels/cudnn/legacy_tensor.h"
#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {
namespace {

// A batch of `rows` images of one pixel and `columns` channels: softmax over channels.
LegacyTensor matrix(DType dtype, int64_t rows, int64_t columns, const char* what) {
  if (dtype != DType::f32) throw std::runtime_error(std::string("cudnn's ") + what + " computes in f32 only");
  return {rows, columns, 1, 1, what};
}

}  // namespace

// CUDNN_SOFTMAX_ACCURATE subtracts the row's maximum first.
void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args) {
  if (args.rows == 0 || args.columns == 0) return;
  const LegacyTensor rows = matrix(args.dtype, args.rows, args.columns, "softmax_forward");
  const float alpha = 1, beta = 0;
  check(cudnnSoftmaxForward(stream.cudnn, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_MODE_CHANNEL, &alpha, rows.get(),
                            args.x, &beta, rows.get(), args.y),
        "softmax_forward");
}

void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args) {
  if (args.rows == 0 || args.columns == 0) return;
  const LegacyTensor rows = matrix(args.dtype, args.rows, args.columns, "softmax_backward");
  const float alpha = 1, beta = args.accumulate ? 1 : 0;
  check(cudnnSoftmaxBackward(stream.cudnn, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_MODE_CHANNEL, &alpha, rows.get(),
                             args.y, rows.get(), args.dy, &beta, rows.get(), args.dx),
        "softmax_backward");
}

}  // namespace cairn::cudnn
