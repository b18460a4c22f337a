// Kernels that treat each element of an array alone: sums, products, scaling, ReLU, tanh; and copies of rows. Not here:
// what draws random numbers (random.cu) or adds up rows (bias.cu).
//
// One thread an element: i = blockIdx.x * 256 + threadIdx.x, so that a warp reads 128 consecutive bytes of each array.
// All are limited by memory: 1 to 4 FLOPs for 8 to 16 bytes; the 20 or so of tanhf do not change that.
#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {
namespace {

__device__ __forceinline__ int64_t element_index() {
  return static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
}

__device__ __forceinline__ void store(float* out, float value, bool accumulate) {
  *out = accumulate ? *out + value : value;
}

__global__ void add_kernel(int64_t count, const float* a, const float* b, float* out, bool accumulate) {
  const int64_t i = element_index();
  if (i < count) store(out + i, a[i] + b[i], accumulate);
}

__global__ void multiply_kernel(int64_t count, const float* a, const float* b, float* out, bool accumulate) {
  const int64_t i = element_index();
  if (i < count) store(out + i, a[i] * b[i], accumulate);
}

__global__ void scale_kernel(int64_t count, const float* x, float* out, float factor, bool accumulate) {
  const int64_t i = element_index();
  if (i < count) store(out + i, factor * x[i], accumulate);
}

__global__ void broadcast_scalar_kernel(int64_t count, const float* x, float* out, float factor, bool accumulate) {
  const int64_t i = element_index();
  if (i < count) store(out + i, factor * x[0], accumulate);
}

// Grid: blocks of 256 columns x rows, so that a row's addresses are computed once a block. 8 bytes an element.
__global__ void copy_rows_kernel(int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y,
                                 int64_t y_stride, bool accumulate) {
  const int64_t c = element_index();
  if (c >= columns) return;
  for (int64_t r = blockIdx.y; r < rows; r += gridDim.y) store(y + r * y_stride + c, x[r * x_stride + c], accumulate);
}

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

void add(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "add");
  if (args.count == 0) return;
  simt::launch<add_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                           static_cast<const float*>(args.a), static_cast<const float*>(args.b),
                           static_cast<float*>(args.out), args.accumulate != 0);
}

void multiply(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "multiply");
  if (args.count == 0) return;
  simt::launch<multiply_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                                static_cast<const float*>(args.a), static_cast<const float*>(args.b),
                                static_cast<float*>(args.out), args.accumulate != 0);
}

void scale(Stream& stream, const ScaleArgs& args) {
  require_f32(args.dtype, "scale");
  if (args.count == 0) return;
  simt::launch<scale_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                             static_cast<const float*>(args.x), static_cast<float*>(args.out),
                             static_cast<float>(args.factor), args.accumulate != 0);
}

void broadcast_scalar(Stream& stream, const BroadcastScalarArgs& args) {
  require_f32(args.dtype, "broadcast_scalar");
  if (args.count == 0) return;
  simt::launch<broadcast_scalar_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                                        static_cast<const float*>(args.x), static_cast<float*>(args.out),
                                        static_cast<float>(args.factor), args.accumulate != 0);
}

void copy_rows(Stream& stream, const CopyRowsArgs& args) {
  require_f32(args.dtype, "copy_rows");
  if (args.rows == 0 || args.columns == 0) return;
  const dim3 grid(element_grid(args.columns), static_cast<unsigned>(args.rows < 65535 ? args.rows : 65535));
  simt::launch<copy_rows_kernel>(stream, grid, kElementBlock, 0, args.rows, args.columns,
                                 static_cast<const float*>(args.x), args.x_stride, static_cast<float*>(args.y),
                                 args.y_stride, args.accumulate != 0);
}

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
