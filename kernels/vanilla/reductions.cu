// Sums over arrays, argmax and the metrics of a classifier. Not here: column sums (bias.cu), sums within rows
// (softmax.cu).
#include "kernels/vanilla/sum_terms.h"

namespace cairn::CAIRN_VANILLA {
namespace {

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

// How many columns come before the label, as kernels/loss_args.h has it: counted by the row's lanes, in every lane.
template <int kLanes>
__device__ __forceinline__ int columns_before(const float* row, int64_t columns, int label, int lane) {
  const Candidate own{row[label], label};
  int before = 0;
  for (int64_t c = lane; c < columns; c += kLanes) before += beats({row[c], static_cast<int>(c)}, own);
  return group_sum<kLanes>(before);
}

// One block walks over all rows, because the totals are added to what is there and must not be raced for. Limited
// by latency: it runs once for each evaluated batch, not in a training step's critical path.
template <int kLanes>
__global__ void classification_metrics_kernel(int64_t rows, int64_t columns, const float* logits, const int32_t* labels,
                                              const float* row_loss, double* loss_sum, int64_t* correct_count,
                                              int64_t* in_top_count, int64_t top) {
  CAIRN_SHARED(double[32], partial_loss);
  CAIRN_SHARED(long long[32], partial_correct);
  CAIRN_SHARED(long long[32], partial_in_top);
  const int lane = threadIdx.x % kLanes;
  double loss = 0.0;
  long long correct = 0, in_top = 0;
  for (int64_t row = threadIdx.x / kLanes; row < rows; row += blockDim.x / kLanes) {
    const int before = columns_before<kLanes>(logits + row * columns, columns, labels[row], lane);
    if (lane == 0) {
      loss += static_cast<double>(row_loss[row]);
      correct += before == 0;
      in_top += before < top;
    }
  }
  loss = block_sum(loss, partial_loss);
  correct = block_sum(correct, partial_correct);
  in_top = block_sum(in_top, partial_in_top);
  if (threadIdx.x == 0) {
    *loss_sum += loss;
    *correct_count += correct;
    *in_top_count += in_top;
  }
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
        static_cast<const float*>(args.row_loss), args.loss_sum, args.correct, args.in_top, args.top);
  };
  args.columns <= kNarrowRow ? launch.operator()<1>() : launch.operator()<32>();
}

}  // namespace cairn::CAIRN_VANILLA
