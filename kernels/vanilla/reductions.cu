// Sums over arrays, the squared error, argmax and the metrics of a classifier. Not here: column sums (bias.cu), sums
// within rows (softmax.cu).
#include "kernels/vanilla/reduce.h"

#include <algorithm>

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/warp.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// A block large enough to give each thread a few values, small enough not to wait at barriers for nothing.
unsigned reduction_block(int64_t count) {
  unsigned threads = 32;
  while (threads < 256 && threads * 8 < count) threads *= 2;
  return threads;
}

// The terms of a sum, by their number.
template <class T>
struct Elements {
  const T* x;
  __device__ __forceinline__ double operator()(int64_t i) const { return static_cast<double>(x[i]); }
};
struct SquaredDifferences {
  const float* a;
  const float* b;
  __device__ __forceinline__ double operator()(int64_t i) const {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    return difference * difference;
  }
};

// Sum of terms [begin, end) over the block, in the first warp. Thread t adds terms begin + t, begin + t + block, ...: a
// warp reads consecutive elements at each step.
template <class Terms>
__device__ __forceinline__ double sum_range(Terms terms, int64_t begin, int64_t end, double* partial) {
  double total = 0.0;
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) total += terms(i);
  return block_sum(total, partial);
}

// First pass over a long array: block b adds up terms [b * per_block, (b + 1) * per_block). Limited by memory, 4 bytes
// an element.
template <class Terms>
__global__ void partial_sums_kernel(int64_t count, int64_t per_block, Terms terms, double* sums) {
  CAIRN_SHARED(double[32], partial);
  const int64_t begin = blockIdx.x * per_block;
  const int64_t end = begin + per_block < count ? begin + per_block : count;
  const double total = sum_range(terms, begin, end, partial);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

// The only pass over a short array, the second over a long one's partial sums. One block.
template <class Terms>
__global__ void final_sum_kernel(int64_t count, Terms terms, float* out, double factor, bool accumulate) {
  CAIRN_SHARED(double[32], partial);
  const double total = sum_range(terms, 0, count, partial);
  if (threadIdx.x == 0) {
    const float value = count > 0 ? static_cast<float>(factor * total) : 0.0f;  // 1 / 0 would make a mean nan
    *out = accumulate ? *out + value : value;
  }
}

// One thread an output element; neighbours read neighbouring elements of each slice.
__global__ void reduce_slices_kernel(int slices, int64_t rows, int64_t columns, const float* partial, Output output) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  const int64_t count = rows * columns;
  if (i >= count) return;
  float total = 0.0f;
  for (int slice = 0; slice < slices; ++slice) total += partial[slice * count + i];
  store(output, i / columns, i % columns, total);
}

constexpr int kArgmaxBlock = 128;

// A row belongs to kLanes neighbouring lanes, as in softmax.cu.
template <int kLanes>
__global__ void __launch_bounds__(kArgmaxBlock)
    argmax_kernel(int64_t rows, int64_t columns, const float* x, int32_t* out) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (kArgmaxBlock / kLanes) + threadIdx.x / kLanes;
  if (row >= rows) return;
  const int lane = threadIdx.x % kLanes;
  const int best = group_argmax<kLanes>(x + row * columns, columns, lane);
  if (lane == 0) out[row] = best;
}

// One block walks over all rows, because the two totals are added to what is there and must not be raced for. Limited
// by latency: it runs once for each evaluated batch, not in a training step's critical path.
template <int kLanes>
__global__ void classification_metrics_kernel(int64_t rows, int64_t columns, const float* logits, const int32_t* labels,
                                              const float* row_loss, double* loss_sum, int64_t* correct_count) {
  CAIRN_SHARED(double[32], partial_loss);
  CAIRN_SHARED(long long[32], partial_correct);
  const int lane = threadIdx.x % kLanes;
  double loss = 0.0;
  long long correct = 0;
  for (int64_t row = threadIdx.x / kLanes; row < rows; row += blockDim.x / kLanes) {
    const int best = group_argmax<kLanes>(logits + row * columns, columns, lane);
    if (lane == 0) {
      loss += static_cast<double>(row_loss[row]);
      correct += best == labels[row];
    }
  }
  loss = block_sum(loss, partial_loss);
  correct = block_sum(correct, partial_correct);
  if (threadIdx.x == 0) {
    *loss_sum += loss;
    *correct_count += correct;
  }
}

__global__ void squared_error_backward_kernel(int64_t count, const float* a, const float* b, const float* dloss,
                                              float* da, float factor, bool accumulate) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= count) return;
  const float value = factor * dloss[0] * (a[i] - b[i]);
  da[i] = accumulate ? da[i] + value : value;
}

// out[0] (+)= factor * the sum of `count` terms.
template <class Terms>
void reduce(Stream& stream, Terms terms, int64_t count, float* out, double factor, bool accumulate) {
  constexpr int64_t kPerBlock = 16384;
  constexpr int64_t kMaxBlocks = 1024;
  if (count <= kPerBlock) {
    simt::launch<final_sum_kernel<Terms>>(stream, 1, reduction_block(count), 0, count, terms, out, factor, accumulate);
    return;
  }
  const int64_t per_block = divide_up(count, std::min(divide_up(count, kPerBlock), kMaxBlocks));
  const int64_t blocks = divide_up(count, per_block);
  auto* sums = static_cast<double*>(stream.workspace(static_cast<size_t>(blocks) * sizeof(double)));
  simt::launch<partial_sums_kernel<Terms>>(stream, grid_x(blocks), reduction_block(per_block), 0, count, per_block,
                                           terms, sums);
  simt::launch<final_sum_kernel<Elements<double>>>(stream, 1, reduction_block(blocks), 0, blocks,
                                                   Elements<double>{sums}, out, factor, accumulate);
}

}  // namespace

void reduce_sum(Stream& stream, const float* x, int64_t count, float* out, double factor, bool accumulate) {
  reduce(stream, Elements<float>{x}, count, out, factor, accumulate);
}

void reduce_slices(Stream& stream, int slices, int64_t rows, int64_t columns, const float* partial,
                   const Output& output) {
  simt::launch<reduce_slices_kernel>(stream, element_grid(rows * columns), kElementBlock, 0, slices, rows, columns,
                                     partial, output);
}

void sum(Stream& stream, const SumArgs& args) {
  require_f32(args.dtype, "sum");
  reduce_sum(stream, static_cast<const float*>(args.x), args.count, static_cast<float*>(args.out), args.factor,
             args.accumulate != 0);
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

void argmax(Stream& stream, const ArgmaxArgs& args) {
  require_f32(args.dtype, "argmax");
  if (args.rows == 0) return;
  const auto launch = [&]<int kLanes>() {
    simt::launch<argmax_kernel<kLanes>>(stream, grid_x(divide_up(args.rows, kArgmaxBlock / kLanes)), kArgmaxBlock, 0,
                                        args.rows, args.columns, static_cast<const float*>(args.x), args.out);
  };
  args.columns <= kNarrowRow ? launch.operator()<1>() : launch.operator()<32>();
}

void classification_metrics(Stream& stream, const ClassificationMetricsArgs& args) {
  require_f32(args.dtype, "classification_metrics");
  if (args.rows == 0) return;
  unsigned threads = 32;
  while (threads < 1024 && threads < args.rows) threads *= 2;
  const auto launch = [&]<int kLanes>() {
    simt::launch<classification_metrics_kernel<kLanes>>(
        stream, 1, threads, 0, args.rows, args.columns, static_cast<const float*>(args.logits), args.labels,
        static_cast<const float*>(args.row_loss), args.loss_sum, args.correct);
  };
  args.columns <= kNarrowRow ? launch.operator()<1>() : launch.operator()<32>();
}

}  // namespace cairn::CAIRN_VANILLA
