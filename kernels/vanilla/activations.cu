// ReLU and tanh, forward and backward. Not here: their fusion into other primitives (bias.cu, gemm/).
#include "kernels/vanilla/elementwise.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// Written as a comparison with 0 because fmaxf would turn nan into 0.
__global__ void relu_forward_kernel(int64_t count, const float* x, float* y) {
  const int64_t i = element_index();
  if (i < count) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

__global__ void relu_backward_kernel(int64_t count, const float* dy, const float* y, float* dx, bool accumulate) {
  const int64_t i = element_index();
  if (i < count) store(dx + i, y[i] > 0.0f ? dy[i] : 0.0f, accumulate);
}

__global__ void tanh_forward_kernel(int64_t count, const float* x, float* y) {
  const int64_t i = element_index();
  if (i < count) y[i] = tanhf(x[i]);
}

__global__ void tanh_backward_kernel(int64_t count, const float* dy, const float* y, float* dx, bool accumulate) {
  const int64_t i = element_index();
  if (i < count) store(dx + i, dy[i] * (1.0f - y[i] * y[i]), accumulate);
}

}  // namespace

void relu_forward(Stream& stream, const ReluForwardArgs& args) {
  require_f32(args.dtype, "relu_forward");
  if (args.count == 0) return;
  simt::launch<relu_forward_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                                    static_cast<const float*>(args.x), static_cast<float*>(args.y));
}

void relu_backward(Stream& stream, const ReluBackwardArgs& args) {
  require_f32(args.dtype, "relu_backward");
  if (args.count == 0) return;
  simt::launch<relu_backward_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                                     static_cast<const float*>(args.dy), static_cast<const float*>(args.y),
                                     static_cast<float*>(args.dx), args.accumulate != 0);
}

void tanh_forward(Stream& stream, const TanhForwardArgs& args) {
  require_f32(args.dtype, "tanh_forward");
  if (args.count == 0) return;
  simt::launch<tanh_forward_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                                    static_cast<const float*>(args.x), static_cast<float*>(args.y));
}

void tanh_backward(Stream& stream, const TanhBackwardArgs& args) {
  require_f32(args.dtype, "tanh_backward");
  if (args.count == 0) return;
  simt::launch<tanh_backward_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                                     static_cast<const float*>(args.dy), static_cast<const float*>(args.y),
                                     static_cast<float*>(args.dx), args.accumulate != 0);
}

}  // namespace cairn::CAIRN_VANILLA
