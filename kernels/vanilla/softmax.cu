// Softmax and cross-entropy over rows, forward and backward. Not here: argmax and accuracy (reductions.cu).
//
// A row belongs to kLanes neighbouring lanes: 1 where rows are narrow (the 10 classes of a digit), 32 where they are
// long. Lane l of a row's group reads columns l, l + kLanes, ...: with 32 lanes a warp reads 128 consecutive bytes, and
// the sums over the row are five exchanges between lanes, without shared memory or a barrier.
// Block: 128 threads = 128 / kLanes rows. Limited by memory (rows stay in the L1 cache between the passes), in narrow
// rows by the exponentials.
#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/reduce.h"
#include "kernels/vanilla/warp.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kBlock = 128;

template <int kLanes>
unsigned row_grid(int64_t rows) {
  return grid_x(divide_up(rows, kBlock / kLanes));
}

template <int kLanes>
__device__ __forceinline__ int64_t row_index() {
  return static_cast<int64_t>(blockIdx.x) * (kBlock / kLanes) + threadIdx.x / kLanes;
}

// The row's maximum and the sum of exp(x - maximum), which cannot overflow.
struct RowScale {
  float maximum, sum;
};

template <int kLanes>
__device__ __forceinline__ RowScale row_scale(const float* x, int64_t columns, int lane) {
  float maximum = -INFINITY;
  for (int64_t c = lane; c < columns; c += kLanes) maximum = fmaxf(maximum, x[c]);
  maximum = group_max<kLanes>(maximum);
  float sum = 0.0f;
  for (int64_t c = lane; c < columns; c += kLanes) sum += expf(x[c] - maximum);
  return {maximum, group_sum<kLanes>(sum)};
}

template <int kLanes>
__global__ void __launch_bounds__(kBlock)
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
__global__ void __launch_bounds__(kBlock) softmax_backward_kernel(int64_t rows, int64_t columns, const float* y,
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

template <int kLanes>
__global__ void __launch_bounds__(kBlock)
    cross_entropy_forward_kernel(int64_t rows, int64_t columns, const float* logits, const int32_t* labels,
                                 float* probabilities, float* row_loss, float smoothing) {
  const int64_t row = row_index<kLanes>();
  if (row >= rows) return;
  const int lane = threadIdx.x % kLanes;
  const float* x = logits + row * columns;
  const RowScale scale = row_scale<kLanes>(x, columns, lane);
  const float factor = 1.0f / scale.sum;
  for (int64_t c = lane; c < columns; c += kLanes)
    probabilities[row * columns + c] = expf(x[c] - scale.maximum) * factor;
  float logit_sum = 0.0f;
  if (smoothing > 0.0f) {
    for (int64_t c = lane; c < columns; c += kLanes) logit_sum += x[c] - scale.maximum;
    logit_sum = group_sum<kLanes>(logit_sum);
  }
  if (lane != 0) return;
  const float log_sum = logf(scale.sum), loss = log_sum - (x[labels[row]] - scale.maximum);
  const float mean = log_sum - logit_sum / static_cast<float>(columns);  // over all columns, as if each were the label
  row_loss[row] = smoothing > 0.0f ? (1.0f - smoothing) * loss + smoothing * mean : loss;
}

// Grid: rows / 8 x columns / 32, a block of 32 x 8 threads: one thread an element, its row and column without division.
__global__ void cross_entropy_backward_kernel(int64_t rows, int64_t columns, const float* probabilities,
                                              const int32_t* labels, const float* dloss, float* dlogits, float at_label,
                                              float elsewhere, bool accumulate) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * 8 + threadIdx.y;
  if (row >= rows) return;
  const float factor = dloss[0] / static_cast<float>(rows);
  for (int64_t c = static_cast<int64_t>(blockIdx.y) * 32 + threadIdx.x; c < columns;
       c += static_cast<int64_t>(gridDim.y) * 32) {
    const int64_t i = row * columns + c;
    const float value = (probabilities[i] - (c == labels[row] ? at_label : elsewhere)) * factor;
    dlogits[i] = accumulate ? dlogits[i] + value : value;
  }
}

}  // namespace

void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args) {
  require_f32(args.dtype, "softmax_forward");
  if (args.rows == 0 || args.columns == 0) return;
  const auto launch = [&]<int kLanes>() {
    simt::launch<softmax_forward_kernel<kLanes>>(stream, row_grid<kLanes>(args.rows), kBlock, 0, args.rows,
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
        stream, row_grid<kLanes>(args.rows), kBlock, 0, args.rows, args.columns, static_cast<const float*>(args.y),
        static_cast<const float*>(args.dy), static_cast<float*>(args.dx), args.accumulate != 0);
  };
  args.columns <= kNarrowRow ? launch.operator()<1>() : launch.operator()<32>();
}

void cross_entropy_forward(Stream& stream, const CrossEntropyForwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_forward");
  if (args.rows > 0 && args.columns > 0) {
    const auto launch = [&]<int kLanes>() {
      simt::launch<cross_entropy_forward_kernel<kLanes>>(
          stream, row_grid<kLanes>(args.rows), kBlock, 0, args.rows, args.columns,
          static_cast<const float*>(args.logits), args.labels, static_cast<float*>(args.probabilities),
          static_cast<float*>(args.row_loss), static_cast<float>(args.smoothing));
    };
    args.columns <= kNarrowRow ? launch.operator()<1>() : launch.operator()<32>();
  }
  const int64_t rows = args.columns > 0 ? args.rows : 0;
  reduce_sum(stream, static_cast<const float*>(args.row_loss), rows, static_cast<float*>(args.loss),
             rows > 0 ? 1.0 / static_cast<double>(rows) : 0.0, false);
}

void cross_entropy_backward(Stream& stream, const CrossEntropyBackwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_backward");
  if (args.rows == 0 || args.columns == 0) return;
  const int64_t column_blocks = divide_up(args.columns, 32);
  const dim3 grid(grid_x(divide_up(args.rows, 8)),
                  static_cast<unsigned>(column_blocks < 65535 ? column_blocks : 65535));
  const double share = args.smoothing / static_cast<double>(args.columns);  // of every column
  simt::launch<cross_entropy_backward_kernel>(
      stream, grid, dim3(32, 8), 0, args.rows, args.columns, static_cast<const float*>(args.probabilities), args.labels,
      static_cast<const float*>(args.dloss), static_cast<float*>(args.dlogits),
      static_cast<float>(1.0 - args.smoothing + share), static_cast<float>(share), args.accumulate != 0);
}

}  // namespace cairn::CAIRN_VANILLA
