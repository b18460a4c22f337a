// One optimizer step over all parameters in one launch: SGD with momentum, Adam and AdamW; the norm of all gradients,
// and moving averages. Not here: schedules (the learning rates arrive as an array).
//
// A network has a handful of tensors of very different sizes (784 x 32, 32, 32 x 32, ...), and a launch for each would
// cost more than the work. So the table of tensors travels to the kernel by value as its argument; each block finds its
// tensor in it and updates kPerBlock consecutive elements:
//
//   tensor      0                 1    2          first_block = 0, 3, 4, 6
//   elements  |----------------||--||--------|
//   block      0      1      2   3   4     5
//
// Limited by memory: SGD reads 8 and writes 4 bytes an element (12 and 8 with momentum), Adam 16 and 12.
#include <algorithm>
#include <cmath>

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/reduce.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kBlock = 128;
constexpr int kPerThread = 16;
constexpr int kPerBlock = kBlock * kPerThread;
constexpr int kTableSize = 24;  // of the 4 KB that arguments may take, 1 KB: the CPU form copies them for each thread

struct TensorTable {
  OptimizerTensor tensor[kTableSize];
  unsigned first_block[kTableSize + 1];
};

// The part of a tensor that this block updates.
struct Part {
  const OptimizerTensor& tensor;
  int64_t begin;
};

__device__ __forceinline__ Part find_part(const TensorTable& table) {
  int t = 0;
  while (blockIdx.x >= table.first_block[t + 1]) ++t;
  return {table.tensor[t], static_cast<int64_t>(blockIdx.x - table.first_block[t]) * kPerBlock};
}

// Without a factor the value itself, so that the sum that follows is rounded as if there were none.
__device__ __forceinline__ float scaled(float gradient, const float* factor) {
  return factor ? *factor * gradient : gradient;
}

__global__ void __launch_bounds__(kBlock)
    sgd_kernel(const __grid_constant__ TensorTable table, const float* gradient_factor, const float* learning_rates,
               int64_t learning_rate_count, const int64_t* step, float momentum) {
  const Part part = find_part(table);
  const auto weight_decay = static_cast<float>(part.tensor.weight_decay);
  auto* parameter = static_cast<float*>(part.tensor.parameter);
  const auto* gradient = static_cast<const float*>(part.tensor.gradient);
  auto* velocity = static_cast<float*>(part.tensor.state1);
  const float learning_rate = learning_rates[*step % learning_rate_count];
  const bool first = *step == 0;
  for (int j = 0; j < kPerThread; ++j) {
    const int64_t i = part.begin + j * kBlock + threadIdx.x;
    if (i >= part.tensor.count) return;
    float update = scaled(gradient[i], gradient_factor) + weight_decay * parameter[i];
    if (velocity) {
      if (!first) update += momentum * velocity[i];
      velocity[i] = update;
    }
    parameter[i] -= learning_rate * update;
  }
}

struct AdamOptions {
  double beta1, beta2;
  float epsilon;
  bool decoupled;
};

__global__ void __launch_bounds__(kBlock)
    adam_kernel(const __grid_constant__ TensorTable table, const float* gradient_factor, const float* learning_rates,
                int64_t learning_rate_count, const int64_t* step, AdamOptions options) {
  // 1 - beta^t needs double (beta2^t is within 1e-7 of 1 - 0.001 t early on); one thread computes it for the block.
  CAIRN_SHARED(float, correction1);
  CAIRN_SHARED(float, correction2);
  if (threadIdx.x == 0) {
    const auto t = static_cast<double>(*step + 1);
    correction1 = static_cast<float>(1.0 - pow(options.beta1, t));
    correction2 = static_cast<float>(1.0 - pow(options.beta2, t));
  }
  __syncthreads();
  const Part part = find_part(table);
  auto* parameter = static_cast<float*>(part.tensor.parameter);
  const auto* gradient = static_cast<const float*>(part.tensor.gradient);
  auto* moment1 = static_cast<float*>(part.tensor.state1);
  auto* moment2 = static_cast<float*>(part.tensor.state2);
  const auto weight_decay = static_cast<float>(part.tensor.weight_decay);
  const float learning_rate = learning_rates[*step % learning_rate_count];
  const float step_size = learning_rate / correction1;
  const auto beta1 = static_cast<float>(options.beta1), rest1 = static_cast<float>(1.0 - options.beta1);
  const auto beta2 = static_cast<float>(options.beta2), rest2 = static_cast<float>(1.0 - options.beta2);
  for (int j = 0; j < kPerThread; ++j) {
    const int64_t i = part.begin + j * kBlock + threadIdx.x;
    if (i >= part.tensor.count) return;
    float value = parameter[i], g = scaled(gradient[i], gradient_factor);
    if (options.decoupled)
      value -= learning_rate * weight_decay * value;
    else
      g += weight_decay * value;
    const float m = beta1 * moment1[i] + rest1 * g;
    const float v = beta2 * moment2[i] + rest2 * g * g;
    moment1[i] = m;
    moment2[i] = v;
    parameter[i] = value - step_size * m / (sqrtf(v / correction2) + options.epsilon);
  }
}

// First pass of the norm: a block's share of the squares, in double. 4 bytes read an element.
__global__ void __launch_bounds__(kBlock)
    gradient_squares_kernel(const __grid_constant__ TensorTable table, double* sums) {
  CAIRN_SHARED(double[32], partial);
  const Part part = find_part(table);
  const auto* gradient = static_cast<const float*>(part.tensor.gradient);
  double total = 0.0;
  for (int j = 0; j < kPerThread; ++j) {
    const int64_t i = part.begin + j * kBlock + threadIdx.x;
    if (i < part.tensor.count) total += static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
  }
  total = block_sum(total, partial);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

// Second pass, one block: the shares in an order that their number alone decides.
__global__ void __launch_bounds__(kBlock)
    clip_factor_kernel(int64_t count, const double* sums, double max_norm, float* factor) {
  CAIRN_SHARED(double[32], partial);
  double total = 0.0;
  for (int64_t i = threadIdx.x; i < count; i += kBlock) total += sums[i];
  total = block_sum(total, partial);
  if (threadIdx.x != 0) return;
  const double wanted = max_norm / (sqrt(total) + 1e-6);
  *factor = wanted > 1.0 ? 1.0f : static_cast<float>(wanted);  // nan stays nan
}

__global__ void __launch_bounds__(kBlock)
    moving_average_kernel(const __grid_constant__ TensorTable table, const int64_t* step, double decay, bool ramp) {
  const Part part = find_part(table);
  const auto* parameter = static_cast<const float*>(part.tensor.parameter);
  auto* average = static_cast<float*>(part.tensor.state1);
  const auto t = static_cast<double>(*step);
  const double slow = (1.0 + t) / (10.0 + t), wanted = ramp && slow < decay ? slow : decay;
  const auto kept = static_cast<float>(wanted), rest = static_cast<float>(1.0 - wanted);
  for (int j = 0; j < kPerThread; ++j) {
    const int64_t i = part.begin + j * kBlock + threadIdx.x;
    if (i >= part.tensor.count) return;
    average[i] = kept * average[i] + rest * parameter[i];
  }
}

// Calls body(table, blocks) for each table of at most kTableSize tensors; empty tensors are left out.
template <class Body>
void for_each_table(const OptimizerTensor* tensors, int64_t count, const Body& body) {
  for (int64_t begin = 0; begin < count;) {
    TensorTable table{};
    int64_t blocks = 0;
    int used = 0;
    for (; begin < count && used < kTableSize; ++begin) {
      if (tensors[begin].count == 0) continue;
      table.tensor[used] = tensors[begin];
      blocks += divide_up(tensors[begin].count, kPerBlock);
      table.first_block[++used] = grid_x(blocks);
    }
    if (blocks > 0) body(table, grid_x(blocks));
  }
}

}  // namespace

void sgd(Stream& stream, const SgdArgs& args) {
  require_f32(args.dtype, "sgd");
  for_each_table(args.tensors, args.tensor_count, [&](const TensorTable& table, unsigned blocks) {
    simt::launch<sgd_kernel>(stream, blocks, kBlock, 0, table, args.gradient_factor, args.learning_rates,
                             args.learning_rate_count, args.step, static_cast<float>(args.momentum));
  });
}

void adam(Stream& stream, const AdamArgs& args) {
  require_f32(args.dtype, "adam");
  const AdamOptions options{args.beta1, args.beta2, static_cast<float>(args.epsilon), args.decoupled != 0};
  for_each_table(args.tensors, args.tensor_count, [&](const TensorTable& table, unsigned blocks) {
    simt::launch<adam_kernel>(stream, blocks, kBlock, 0, table, args.gradient_factor, args.learning_rates,
                              args.learning_rate_count, args.step, options);
  });
}

void clip_gradients(Stream& stream, const ClipGradientsArgs& args) {
  require_f32(args.dtype, "clip_gradients");
  int64_t count = 0;
  for (int64_t t = 0; t < args.tensor_count; ++t) count += divide_up(args.tensors[t].count, kPerBlock);
  auto* sums = static_cast<double*>(stream.workspace(static_cast<size_t>(count) * sizeof(double)));
  int64_t done = 0;
  for_each_table(args.tensors, args.tensor_count, [&](const TensorTable& table, unsigned blocks) {
    simt::launch<gradient_squares_kernel>(stream, blocks, kBlock, 0, table, sums + done);
    done += blocks;
  });
  simt::launch<clip_factor_kernel>(stream, 1, kBlock, 0, count, sums, args.max_norm, args.factor);
}

void moving_average(Stream& stream, const MovingAverageArgs& args) {
  require_f32(args.dtype, "moving_average");
  for_each_table(args.tensors, args.tensor_count, [&](const TensorTable& table, unsigned blocks) {
    simt::launch<moving_average_kernel>(stream, blocks, kBlock, 0, table, args.step, args.decay, args.ramp != 0);
  });
}

}  // namespace cairn::CAIRN_VANILLA
