// Cross-entropy and the squared error, forward and backward. Not here: softmax alone (softmax.cu), accuracy
// (reductions.cu).
#include "kernels/vanilla/row_scale.h"
#include "kernels/vanilla/sum_terms.h"

namespace cairn::CAIRN_VANILLA {
namespace {

template <int kLanes>
__global__ void __launch_bounds__(kRowBlock)
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

struct SquaredDifferences {
  const float* a;
  const float* b;
  __device__ __forceinline__ double operator()(int64_t i) const {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    return difference * difference;
  }
};

__global__ void squared_error_backward_kernel(int64_t count, const float* a, const float* b, const float* dloss,
                                              float* da, float factor, bool accumulate) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= count) return;
  const float value = factor * dloss[0] * (a[i] - b[i]);
  da[i] = accumulate ? da[i] + value : value;
}

}  // namespace

void cross_entropy_forward(Stream& stream, const CrossEntropyForwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_forward");
  if (args.rows > 0 && args.columns > 0) {
    const auto launch = [&]<int kLanes>() {
      simt::launch<cross_entropy_forward_kernel<kLanes>>(
          stream, row_grid<kLanes>(args.rows), kRowBlock, 0, args.rows, args.columns,
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

void squared_error_forward(Stream& stream, const SquaredErrorForwardArgs& args) {
  require_f32(args.dtype, "squared_error_forward");
  const SquaredDifferences terms{static_cast<const float*>(args.a), static_cast<const float*>(args.b)};
  reduce(stream, terms, args.count, static_cast<float*>(args.loss), 1.0 / static_cast<double>(args.count), false);
}

void squared_error_backward(Stream& stream, const SquaredErrorBackwardArgs& args) {
  require_f32(args.dtype, "squared_error_backward");
  if (args.count == 0) return;
  simt::launch<squared_error_backward_kernel>(stream, element_grid(args.count), kElementBlock, 0, args.count,
                                              static_cast<const float*>(args.a), static_cast<const float*>(args.b),
                                              static_cast<const float*>(args.dloss), static_cast<float*>(args.da),
                                              static_cast<float>(args.factor), args.accumulate != 0);
}

}  // namespace cairn::CAIRN_VANILLA
