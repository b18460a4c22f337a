// Sums over whole arrays, in double: in one pass by one block, or in two. Not here: the terms (reductions.cu,
// losses.cu), sums within a block (reduce.h).
#pragma once

#include <algorithm>

#include "kernels/vanilla/reduce.h"

namespace cairn::CAIRN_VANILLA {

// A block large enough to give each thread a few values, small enough not to wait at barriers for nothing.
inline unsigned reduction_block(int64_t count) {
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

}  // namespace cairn::CAIRN_VANILLA
