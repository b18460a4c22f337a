// Row softmax through cuDNN: forward and backward. Not here: softmax with cross-entropy, which falls back on vanilla.
#include <cstdint>
#include <stdexcept>

#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {
namespace {

// rows x columns as cuDNN has it: a batch of `rows` images of one pixel and `columns` channels, softmax over channels.
class Matrix {
 public:
  Matrix(DType dtype, int64_t rows, int64_t columns, const char* what) {
    if (dtype != DType::f32) throw std::runtime_error(std::string("cudnn's ") + what + " computes in f32 only");
    if (columns > INT32_MAX / rows)
      throw std::runtime_error(std::string("cudnn's ") + what + " takes fewer than 2^31 values, not " +
                               std::to_string(rows) + " x " + std::to_string(columns));
    check(cudnnCreateTensorDescriptor(&descriptor_), what);
    const cudnnStatus_t status = cudnnSetTensor4dDescriptor(descriptor_, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT,
                                                            static_cast<int>(rows), static_cast<int>(columns), 1, 1);
    if (status != CUDNN_STATUS_SUCCESS) cudnnDestroyTensorDescriptor(descriptor_);
    check(status, what);
  }
  ~Matrix() { cudnnDestroyTensorDescriptor(descriptor_); }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  cudnnTensorDescriptor_t get() const { return descriptor_; }

 private:
  cudnnTensorDescriptor_t descriptor_ = nullptr;
};

}  // namespace

// CUDNN_SOFTMAX_ACCURATE subtracts the row's maximum first.
void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args) {
  if (args.rows == 0 || args.columns == 0) return;
  const Matrix matrix(args.dtype, args.rows, args.columns, "softmax_forward");
  const float alpha = 1, beta = 0;
  check(cudnnSoftmaxForward(stream.cudnn, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_MODE_CHANNEL, &alpha, matrix.get(),
                            args.x, &beta, matrix.get(), args.y),
        "softmax_forward");
}

void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args) {
  if (args.rows == 0 || args.columns == 0) return;
  const Matrix matrix(args.dtype, args.rows, args.columns, "softmax_backward");
  const float alpha = 1, beta = args.accumulate ? 1 : 0;
  check(cudnnSoftmaxBackward(stream.cudnn, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_MODE_CHANNEL, &alpha, matrix.get(),
                             args.y, matrix.get(), args.dy, &beta, matrix.get(), args.dx),
        "softmax_backward");
}

}  // namespace cairn::cudnn
