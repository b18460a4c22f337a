// One block's view of a launch of sgd_steps, and how a batch comes into its shared memory. Not here: what is computed
// with it (layers.h, update.h).
#pragma once

#include "kernels/vanilla/sgd_steps/plan.h"

namespace cairn::CAIRN_VANILLA::steps {

using Quad = simt::Fragment<4>;

// On the CPU a thread is a fiber, and fewer of them pass a barrier sooner.
constexpr int kThreads = kOnGpu ? 256 : 32;
constexpr int kRowsEach = kMostRows / kThreads;
// Groups of four bytes that each thread holds for the next step: 64 rows of 13 are 3.25 for each of 256 threads. What
// is beyond them is read when it is needed.
constexpr int kHeldWords = kOnGpu ? 8 : 1;

struct StepsData {
  const uint8_t* images;
  const int32_t* labels;
  const int32_t* order;
  int64_t order_count;
  int64_t steps_per_epoch, steps;
  const float* learning_rates;
  int64_t learning_rate_count;
  float* history;
  int64_t history_capacity;
  int64_t* step;
  float scale, shift, momentum, weight_decay;
  bool words;  // rows of images are whole words
};

// A block's view of the launch.
template <int kBlocks>
struct Block {
  const StepsPlan& plan;
  const StepsData& data;
  float* shared;
  int rank;
  int first_quad, quads;  // of its slice
  Divisor slice_quads;

  __device__ Block(const StepsPlan& plan_, const StepsData& data_, float* shared_)
      : plan(plan_), data(data_), shared(shared_), rank(static_cast<int>(simt::cluster_rank())) {
    first_quad = rank * plan.quads / kBlocks;
    quads = (rank + 1) * plan.quads / kBlocks - first_quad;
    slice_quads = Divisor(quads);
  }

  // The rows of a batch that this block owns are rank, rank + kBlocks, ...
  __device__ int own_rows(int rows) const { return (rows - rank + kBlocks - 1) / kBlocks; }
  __device__ float* record(int row) const { return shared + plan.records_at + row * plan.record; }
  __device__ float* own_record(int i) const { return record(rank + i * kBlocks); }
  __device__ float* small() const { return shared + plan.small_at; }
  __device__ int* image() const { return reinterpret_cast<int*>(shared + plan.image_at); }
  __device__ int* label() const { return reinterpret_cast<int*>(shared + plan.label_at); }
};

// Where the four neighbouring bytes lie that become item `item` of the slice of x, and how many bytes of the image
// there are from them on.
struct Bytes {
  const uint8_t* at;
  int count;
};
template <int kBlocks>
__device__ __forceinline__ Bytes find_bytes(const Block<kBlocks>& block, int item) {
  const Cell cell(item, block.slice_quads);
  const int columns = block.plan.layer[0].in, first = 4 * (block.first_quad + cell.column);
  return {block.data.images + static_cast<int64_t>(block.image()[cell.row]) * columns + first, columns - first};
}

// What is on its way for the next step: the bytes only where they are whole words, the first one lowest.
struct NextBatch {
  unsigned words[kHeldWords];
  int labels[kRowsEach];
  int images[kRowsEach];  // of the step after it
};

// Starts the reads: of the rows whose images are in shared memory, and of the numbers of `later_rows` images from
// order[later] on.
template <int kBlocks>
__device__ __forceinline__ void fetch(const Block<kBlocks>& block, int rows, int64_t later, int later_rows,
                                      NextBatch& next) {
  const int words = block.data.words ? rows * block.quads : 0;
  CAIRN_UNROLL
  for (int i = 0; i < kHeldWords; ++i) {
    const int item = static_cast<int>(threadIdx.x) + i * kThreads;
    if (item < words) next.words[i] = *reinterpret_cast<const unsigned*>(find_bytes(block, item).at);
  }
  CAIRN_UNROLL
  for (int i = 0; i < kRowsEach; ++i) {
    const int row = static_cast<int>(threadIdx.x) + i * kThreads;
    if (row < rows) next.labels[i] = block.data.labels[block.image()[row]];
    if (row < later_rows) next.images[i] = block.data.order[later + row];
  }
}

// Four bytes as the floats that the network sees, into a slice of x.
template <int kBlocks>
__device__ __forceinline__ void place_word(const Block<kBlocks>& block, int item, unsigned word) {
  const Cell cell(item, block.slice_quads);
  const int columns = block.plan.layer[0].in - 4 * (block.first_quad + cell.column);
  float* x = block.shared + block.plan.x_at + cell.row * block.plan.slice_stride + 4 * cell.column;
  Quad values;
  CAIRN_UNROLL
  for (int i = 0; i < 4; ++i) {
    const float value = static_cast<float>(word >> 8 * i & 0xFFu) * block.data.scale + block.data.shift;
    values.put(i, i < columns ? value : 0.0f);
  }
  values.store(x);
}

// Puts what fetch() started where the step finds it. Ends without a barrier.
template <int kBlocks>
__device__ __forceinline__ void place(const Block<kBlocks>& block, int rows, int later_rows, const NextBatch& next) {
  const int words = rows * block.quads;
  CAIRN_UNROLL
  for (int i = 0; i < kHeldWords; ++i) {
    const int item = static_cast<int>(threadIdx.x) + i * kThreads;
    if (item < words && block.data.words) place_word(block, item, next.words[i]);
  }
  const int held = block.data.words ? kHeldWords * kThreads : 0;
  for (int item = static_cast<int>(threadIdx.x) + held; item < words; item += kThreads) {
    const Bytes bytes = find_bytes(block, item);
    unsigned word = 0;
    for (int i = 0; i < 4 && i < bytes.count; ++i) word |= static_cast<unsigned>(bytes.at[i]) << 8 * i;
    place_word(block, item, word);
  }
  __syncthreads();  // the images' numbers have been used
  CAIRN_UNROLL
  for (int i = 0; i < kRowsEach; ++i) {
    const int row = static_cast<int>(threadIdx.x) + i * kThreads;
    if (row < rows) block.label()[row] = next.labels[i];
    if (row < later_rows) block.image()[row] = next.images[i];
  }
}

}  // namespace cairn::CAIRN_VANILLA::steps
