// Sums, products, scaling, a scalar spread out, and copies of rows. Not here: activations (activations.cu), what draws
// random numbers (random.cu) or adds up rows (bias.cu).
#include "kernels/vanilla/elementwise.h"

namespace cairn::CAIRN_VANILLA {
namespace {

struct Added {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Multiplied {
  __device__ float operator()(float a, float b) const { return a * b; }
};
struct Scaled {
  float factor;
  __device__ float operator()(float x) const { return factor * x; }
};
struct SpreadOut {
  const float* x;
  float factor;
  __device__ float operator()() const { return factor * x[0]; }
};

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
  map(stream, args.count, args.out, args.accumulate, Added{}, args.a, args.b);
}

void multiply(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "multiply");
  map(stream, args.count, args.out, args.accumulate, Multiplied{}, args.a, args.b);
}

void scale(Stream& stream, const ScaleArgs& args) {
  require_f32(args.dtype, "scale");
  map(stream, args.count, args.out, args.accumulate, Scaled{static_cast<float>(args.factor)}, args.x);
}

void broadcast_scalar(Stream& stream, const BroadcastScalarArgs& args) {
  require_f32(args.dtype, "broadcast_scalar");
  const SpreadOut spread{static_cast<const float*>(args.x), static_cast<float>(args.factor)};
  map(stream, args.count, args.out, args.accumulate, spread);
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
