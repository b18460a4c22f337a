// Sums, products, scaling, a scalar spread out, and copies of rows. Not here: activations (activations.cu), what draws
// random numbers (random.cu) or adds up rows (bias.cu).
#include "kernels/vanilla/elementwise.h"

namespace cairn::CAIRN_VANILLA {
namespace {

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

}  // namespace cairn::CAIRN_VANILLA
