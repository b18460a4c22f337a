// Softmax over rows, forward and backward. Not here: the losses (losses.cu), argmax and accuracy (reductions.cu).
#include "kernels/vanilla/row_scale.h"

namespace cairn::CAIRN_VANILLA {
namespace {

template <int kLanes>
__global__ void __launch_bounds__(kRowBlock)
    softmax_forward_kernel(int64_t rows, int64_t columns, const float* x, float* y) {
  const int64_t row = row_index<kLanes>();
  if (row >= rows) return;  // a whole group leaves, so whole warps do where lanes exchange
  const int lane = threadIdx.x % kLanes;
  const RowScale scale = row_scale<kLanes>(x + row * columns, columns, lane);
  const float factor = 1.0f / scale.sum;
  for (int64_t c = lane; c < columns; c += kLanes)
    y[row * columns + c] = expf(x[row * columns + c] - scale.maximum) * factor;
}

template <int kLanes>
__global__ void __launch_bounds__(kRowBlock) softmax_backward_kernel(int64_t rows, int64_t columns, const float* y,
                                                                     const float* dy, float* dx, bool accumulate) {
  const int64_t row = row_index<kLanes>();
  if (row >= rows) return;
  const int lane = threadIdx.x % kLanes;
  const int64_t begin = row * columns;
  float dot = 0.0f;
  for (int64_t c = lane; c < columns; c += kLanes) dot += dy[begin + c] * y[begin + c];
  dot = group_sum<kLanes>(dot);
  for (int64_t c = lane; c < columns; c += kLanes) {
    const float value = y[begin + c] * (dy[begin + c] - dot);
    dx[begin + c] = accumulate ? dx[begin + c] + value : value;
  }
}

}  // namespace

void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args) {
  require_f32(args.dtype, "softmax_forward");
  if (args.rows == 0 || args.columns == 0) return;
  const auto launch = [&]<int kLanes>() {
    simt::launch<softmax_forward_kernel<kLanes>>(stream, row_grid<kLanes>(args.rows), kRowBlock, 0, args.rows,
                                                 args.columns, static_cast<const float*>(args.x),
                                                 static_cast<float*>(args.y));
  };
  args.columns <= kNarrowRow ? launch.operator()<1>() : launch.operator()<32>();
}

void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args) {
  require_f32(args.dtype, "softmax_backward");
  if (args.rows == 0 || args.columns == 0) return;
  const auto launch = [&]<int kLanes>() {
    simt::launch<softmax_backward_kernel<kLanes>>(
        stream, row_grid<kLanes>(args.rows), kRowBlock, 0, args.rows, args.columns, static_cast<const float*>(args.y),
        static_cast<const float*>(args.dy), static_cast<float*>(args.dx), args.accumulate != 0);
  };
  args.columns <= kNarrowRow ? launch.operator()<1>() : launch.operator()<32>();
}

}  // namespace cairn::CAIRN_VANILLA
