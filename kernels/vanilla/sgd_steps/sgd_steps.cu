// Whole training steps in one launch: forward, loss, backward and update of a small stack of linear layers, as many
// steps as the caller has batches. Not here: where things lie in shared memory (plan.h).
//
// A step of 784-32-32-10 on 64 rows is 10 million floating-point operations: nothing for a GPU, but 17 launches, each
// of which starts cold. Here one cluster of blocks keeps the network in its shared memory and never leaves. The first
// layer has nearly all of the work, and its inputs (the sum's index k) are what the blocks divide:
//
//                  k: block 0   block 1   block 2   block 3        every block also has
//                 +---------+---------+---------+---------+          - the small tensors: all biases and the weights
//   images    64  |  x      |         |         |         |            of the other layers
//                 +---------+---------+---------+---------+          - a record of each row: outputs and deltas
//   weights 32    |  W, v   |         |         |         |            of all layers
//                 +---------+---------+---------+---------+
//
//   A  Each block multiplies its slice: partial sums of the first layer for all rows. Block b owns the rows b, b +
//      blocks, ...: it is sent the partial sums of those.                                            cluster_sync
//   B  Each block adds up the partial sums of its rows in the order of the blocks, takes the rows through the other
//      layers, the loss and back to the first layer's delta, and sends the rows' records to all.     cluster_sync
//   C  Each block updates its slice of the weights: dW = delta^T x, over all rows. The small tensors' groups of four
//      are dealt out to the blocks, which send the new values to all; the next step's first cluster_sync ends that.
//
// Nothing is added in an order that time decides, so the bits are the same at every run (but not for every number of
// blocks). While a step runs, the bytes of the next one are already on their way to registers, and the numbers of the
// images of the one after it.
//
// Cost of a step with r rows, first layer k -> h: 4 r k h FLOPs, divided by the blocks, of which A takes 32
// multiply-adds for 6 reads of 16 bytes and C 16 for 2; r k bytes from global memory; r h floats and blocks * r records
// between the blocks. What is left is waiting: two cluster_syncs, and 2 * layers + 1 barriers for the few rows of B.
#include <string>
#include <utility>

#include "kernels/vanilla/sgd_steps/plan.h"

namespace cairn::CAIRN_VANILLA {
namespace {

using Quad = simt::Fragment<4>;

// On the CPU a thread is a fiber, and fewer of them pass a barrier sooner.
constexpr int kThreads = kOnGpu ? 256 : 32;
constexpr int kRowsEach = kMostRows / kThreads;
// Groups of four bytes that each thread holds for the next step: 64 rows of 13 are 3.25 for each of 256 threads. What
// is beyond them is read when it is needed.
constexpr int kHeldWords = kOnGpu ? 8 : 1;

struct StepsData {
  const uint8_t* images;
  const uint8_t* labels;
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

  __device__ Block(const StepsPlan& plan_, const StepsData& data_, float* shared_)
      : plan(plan_), data(data_), shared(shared_), rank(static_cast<int>(simt::cluster_rank())) {
    first_quad = rank * plan.quads / kBlocks;
    quads = (rank + 1) * plan.quads / kBlocks - first_quad;
  }

  // The rows of a batch that this block owns are rank, rank + kBlocks, ...
  __device__ int own_rows(int rows) const { return (rows - rank + kBlocks - 1) / kBlocks; }
  __device__ float* record(int row) const { return shared + plan.records_at + row * plan.record; }
  __device__ float* own_record(int i) const { return record(rank + i * kBlocks); }
  __device__ float* small() const { return shared + plan.small_at; }
  __device__ int* image() const { return reinterpret_cast<int*>(shared + plan.image_at); }
  __device__ int* label() const { return reinterpret_cast<int*>(shared + plan.label_at); }
};

// ---- the batch -----------------------------------------------------------------------------------------------

// Four neighbouring bytes of an image, the first one lowest; 0 beyond its end.
__device__ __forceinline__ unsigned load_word(const StepsData& data, int columns, int image, int quad) {
  const uint8_t* row = data.images + static_cast<int64_t>(image) * columns;
  if (data.words) return *reinterpret_cast<const unsigned*>(row + 4 * quad);
  unsigned word = 0;
  for (int i = 0; i < 4; ++i)
    if (4 * quad + i < columns) word |= static_cast<unsigned>(row[4 * quad + i]) << 8 * i;
  return word;
}

// What is on its way for the next step.
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
  const int columns = block.plan.layer[0].in;
  const int words = rows * block.quads;
  CAIRN_UNROLL
  for (int i = 0; i < kHeldWords; ++i) {
    const int item = static_cast<int>(threadIdx.x) + i * kThreads;
    if (item < words)
      next.words[i] =
          load_word(block.data, columns, block.image()[item / block.quads], block.first_quad + item % block.quads);
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
  const int row = item / block.quads, quad = item % block.quads;
  const int columns = block.plan.layer[0].in - 4 * (block.first_quad + quad);
  float* x = block.shared + block.plan.x_at + row * block.plan.slice_stride + 4 * quad;
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
  const int columns = block.plan.layer[0].in;
  const int words = rows * block.quads;
  CAIRN_UNROLL
  for (int i = 0; i < kHeldWords; ++i) {
    const int item = static_cast<int>(threadIdx.x) + i * kThreads;
    if (item < words) place_word(block, item, next.words[i]);
  }
  for (int item = static_cast<int>(threadIdx.x) + kHeldWords * kThreads; item < words; item += kThreads)
    place_word(
        block, item,
        load_word(block.data, columns, block.image()[item / block.quads], block.first_quad + item % block.quads));
  __syncthreads();  // the images' numbers have been used
  CAIRN_UNROLL
  for (int i = 0; i < kRowsEach; ++i) {
    const int row = static_cast<int>(threadIdx.x) + i * kThreads;
    if (row < rows) block.label()[row] = next.labels[i];
    if (row < later_rows) block.image()[row] = next.images[i];
  }
}

// ---- A: the first layer's partial sums ---------------------------------------------------------------------------

// A thread's tile is 4 rows by 2 outputs, each a dot product of float4 pieces along k:
//
//             k ->                      rows    t, t + T, t + 2T, t + 3T         (T = rows / 4)
//   x    4 x [....][....][....]         outputs u, u + U                         (U = outputs / 2)
//   W    2 x [....][....][....]
//
// The rows of a tile lie far apart so that neighbouring threads have neighbouring rows and outputs, in different banks.
// Where the tiles stand over the edge the last row or output is computed again and not sent.
template <int kBlocks>
__device__ __forceinline__ void multiply_slice(const Block<kBlocks>& block, int rows) {
  constexpr int kRows = 4, kOutputs = 2;
  const StepsPlan& plan = block.plan;
  const int outputs = plan.layer[0].out, width = round_up4(outputs);
  const int tile_rows = (rows + kRows - 1) / kRows, tile_outputs = (outputs + kOutputs - 1) / kOutputs;
  for (int item = static_cast<int>(threadIdx.x); item < tile_rows * tile_outputs; item += kThreads) {
    const int row = item / tile_outputs, output = item % tile_outputs;
    const float* x[kRows];
    const float* weight[kOutputs];
    Quad sums[kRows][kOutputs];
    CAIRN_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const int at = row + i * tile_rows;
      x[i] = block.shared + plan.x_at + (at < rows ? at : rows - 1) * plan.slice_stride;
    }
    CAIRN_UNROLL
    for (int j = 0; j < kOutputs; ++j) {
      const int at = output + j * tile_outputs;
      weight[j] = block.shared + plan.weight_at + (at < outputs ? at : outputs - 1) * plan.slice_stride;
      CAIRN_UNROLL
      for (int i = 0; i < kRows; ++i) sums[i][j].zero();
    }
    for (int quad = 0; quad < block.quads; ++quad) {
      Quad b[kOutputs];
      CAIRN_UNROLL
      for (int j = 0; j < kOutputs; ++j) b[j].load(weight[j] + 4 * quad);
      CAIRN_UNROLL
      for (int i = 0; i < kRows; ++i) {
        Quad a;
        a.load(x[i] + 4 * quad);
        CAIRN_UNROLL
        for (int j = 0; j < kOutputs; ++j) sums[i][j].fma(a, b[j]);
      }
    }
    CAIRN_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const int at = row + i * tile_rows;
      if (at >= rows) continue;
      float* partial = simt::cluster_shared(block.shared + plan.partial_at, static_cast<unsigned>(at % kBlocks)) +
                       (block.rank * plan.partial_rows + at / kBlocks) * width;
      CAIRN_UNROLL
      for (int j = 0; j < kOutputs; ++j)
        if (output + j * tile_outputs < outputs) partial[output + j * tile_outputs] = sums[i][j].sum();
    }
  }
}

// ---- B: the block's own rows, to the loss and back ----------------------------------------------------------------

template <int kBlocks>
__device__ __forceinline__ void add_partial_sums(const Block<kBlocks>& block, int own) {
  const StepsPlan& plan = block.plan;
  const PlannedLayer& layer = plan.layer[0];
  const bool is_last = plan.layers == 1;
  const int quads = round_up4(layer.out) / 4;
  for (int item = static_cast<int>(threadIdx.x); item < own * quads; item += kThreads) {
    const int i = item / quads, column = item % quads * 4;
    const float* partial = block.shared + plan.partial_at + i * 4 * quads + column;
    Quad sum, bias;
    sum.load(partial);
    CAIRN_UNROLL
    for (int from = 1; from < kBlocks; ++from) {
      Quad one;
      one.load(partial + from * plan.partial_rows * 4 * quads);
      sum.add(one);
    }
    bias.load(block.small() + layer.biases + column);
    sum.add(bias);
    if (!is_last) sum.relu();
    sum.store(block.own_record(i) + (is_last ? layer.delta : layer.output) + column);
  }
}

// One thread an output: the row's values are the same for all its neighbours, the weights lie in different banks.
template <int kBlocks>
__device__ __forceinline__ void forward_layer(const Block<kBlocks>& block, int own, int l) {
  const PlannedLayer& layer = block.plan.layer[l];
  const bool is_last = l + 1 == block.plan.layers;
  for (int item = static_cast<int>(threadIdx.x); item < own * layer.out; item += kThreads) {
    const int i = item / layer.out, output = item % layer.out;
    float* record = block.own_record(i);
    const float* x = record + block.plan.layer[l - 1].output;
    const float* weight = block.small() + layer.weights + output * layer.stride;
    Quad sums;
    sums.zero();
    for (int column = 0; column < layer.in; column += 4) {
      Quad a, b;
      a.load(x + column);
      b.load(weight + column);
      sums.fma(a, b);
    }
    const float z = sums.sum() + block.small()[layer.biases + output];
    record[(is_last ? layer.delta : layer.output) + output] = is_last || !(z < 0.0f) ? z : 0.0f;
  }
}

// One thread a row: the logits become (softmax - one at the label) / rows.
template <int kBlocks>
__device__ __forceinline__ void cross_entropy(const Block<kBlocks>& block, int own, int rows) {
  const PlannedLayer& layer = block.plan.last();
  const float share = 1.0f / static_cast<float>(rows);
  for (int i = static_cast<int>(threadIdx.x); i < own; i += kThreads) {
    float* z = block.own_record(i) + layer.delta;
    const int label = block.label()[block.rank + i * kBlocks];
    float maximum = z[0], sum = 0.0f;
    for (int c = 1; c < layer.out; ++c) maximum = fmaxf(maximum, z[c]);
    const float at_label = z[label] - maximum;
    for (int c = 0; c < layer.out; ++c) {
      z[c] = expf(z[c] - maximum);
      sum += z[c];
    }
    const float factor = 1.0f / sum;
    for (int c = 0; c < layer.out; ++c) z[c] = (z[c] * factor - (c == label ? 1.0f : 0.0f)) * share;
    block.own_record(i)[block.plan.loss] = logf(sum) - at_label;
  }
}

// One thread four neighbouring inputs: delta of the layer below, where its ReLU let the value through.
template <int kBlocks>
__device__ __forceinline__ void backward_layer(const Block<kBlocks>& block, int own, int l) {
  const PlannedLayer& layer = block.plan.layer[l];
  const PlannedLayer& below = block.plan.layer[l - 1];
  const int quads = round_up4(layer.in) / 4;
  for (int item = static_cast<int>(threadIdx.x); item < own * quads; item += kThreads) {
    const int i = item / quads, column = item % quads * 4;
    float* record = block.own_record(i);
    const float* weight = block.small() + layer.weights + column;
    Quad sums, output;
    sums.zero();
    for (int o = 0; o < layer.out; ++o) {
      Quad w;
      w.load(weight + o * layer.stride);
      sums.fma(record[layer.delta + o], w);
    }
    output.load(record + below.output + column);
    sums.keep_where_positive(output);
    sums.store(record + below.delta + column);
  }
}

template <int kBlocks>
__device__ __forceinline__ void send_records(const Block<kBlocks>& block, int own) {
  const int quads = block.plan.record / 4;
  for (int item = static_cast<int>(threadIdx.x); item < own * quads; item += kThreads) {
    float* from = block.own_record(item / quads) + item % quads * 4;
    Quad values;
    values.load(from);
    CAIRN_UNROLL
    for (int i = 1; i < kBlocks; ++i)
      values.store(simt::cluster_shared(from, static_cast<unsigned>((block.rank + i) % kBlocks)));
  }
}

// ---- C: gradients of the parameters, and their update --------------------------------------------------------------

struct Rule {
  float learning_rate, momentum, weight_decay;
  bool first;  // step of the training

  // velocity: four floats or null; returns the new values.
  __device__ __forceinline__ Quad updated(Quad value, Quad gradient, float* velocity) const {
    gradient.fma(weight_decay, value);
    if (velocity) {
      Quad before;
      before.load(velocity);
      if (!first) gradient.fma(momentum, before);
      gradient.store(velocity);
    }
    value.fma(-learning_rate, gradient);
    return value;
  }
};

// A thread's tile is 4 outputs by 4 columns of the slice: 16 sums over the rows, for each of which it reads 4 deltas
// and 4 inputs. Neighbouring threads have neighbouring columns.
template <int kBlocks>
__device__ __forceinline__ void update_slice(const Block<kBlocks>& block, int item, int rows, const Rule& rule) {
  const StepsPlan& plan = block.plan;
  const int output = item / block.quads * 4, column = item % block.quads * 4;
  const float* delta = block.record(0) + plan.layer[0].delta + output;
  const float* x = block.shared + plan.x_at + column;
  Quad gradient[4];
  CAIRN_UNROLL
  for (int i = 0; i < 4; ++i) gradient[i].zero();
  for (int row = 0; row < rows; ++row) {
    Quad a, b;
    a.load(delta + row * plan.record);
    b.load(x + row * plan.slice_stride);
    CAIRN_UNROLL
    for (int i = 0; i < 4; ++i) gradient[i].fma(a.get(i), b);
  }
  CAIRN_UNROLL
  for (int i = 0; i < 4; ++i) {
    if (output + i >= plan.layer[0].out) break;
    const int at = (output + i) * plan.slice_stride + column;
    float* weight = block.shared + plan.weight_at + at;
    Quad value;
    value.load(weight);
    rule.updated(value, gradient[i], plan.has_velocity ? block.shared + plan.velocity_at + at : nullptr).store(weight);
  }
}

// Four neighbouring elements of a small tensor.
struct SmallQuad {
  int layer, column;
  int output;    // of weights, the row; of biases -1
  bool padding;  // between the rows of weights
};

__device__ __forceinline__ SmallQuad find_small(const StepsPlan& plan, int at) {
  int l = 0;
  while (at >= plan.layer[l].biases + round_up4(plan.layer[l].out)) ++l;
  const PlannedLayer& layer = plan.layer[l];
  if (at >= layer.biases) return {l, at - layer.biases, -1, false};
  const int output = (at - layer.weights) / layer.stride, column = (at - layer.weights) % layer.stride;
  return {l, column, output, column >= layer.in};
}

// The block's i-th group of four among the small tensors; new values go to every block.
template <int kBlocks>
__device__ __forceinline__ void update_small(const Block<kBlocks>& block, int i, int rows, const Rule& rule) {
  const StepsPlan& plan = block.plan;
  const int at = 4 * (block.rank + i * kBlocks);
  const SmallQuad quad = find_small(plan, at);
  if (quad.padding) return;
  const PlannedLayer& layer = plan.layer[quad.layer];
  Quad gradient, value;
  gradient.zero();
  if (quad.output < 0) {
    const float* delta = block.record(0) + layer.delta + quad.column;
    for (int row = 0; row < rows; ++row) {
      Quad one;
      one.load(delta + row * plan.record);
      gradient.add(one);
    }
  } else {
    const float* delta = block.record(0) + layer.delta + quad.output;
    const float* x = block.record(0) + plan.layer[quad.layer - 1].output + quad.column;
    for (int row = 0; row < rows; ++row) {
      Quad one;
      one.load(x + row * plan.record);
      gradient.fma(delta[row * plan.record], one);
    }
  }
  float* own = block.small() + at;
  value.load(own);
  value = rule.updated(value, gradient, plan.has_velocity ? block.shared + plan.small_velocity_at + 4 * i : nullptr);
  CAIRN_UNROLL
  for (int j = 0; j < kBlocks; ++j)
    value.store(simt::cluster_shared(own, static_cast<unsigned>((block.rank + j) % kBlocks)));
}

template <int kBlocks>
__device__ __forceinline__ int own_small(const Block<kBlocks>& block) {
  return (block.plan.small / 4 - block.rank + kBlocks - 1) / kBlocks;
}

template <int kBlocks>
__device__ __forceinline__ void update_all(const Block<kBlocks>& block, int rows, const Rule& rule, float* loss) {
  const int tiles = (block.plan.layer[0].out + 3) / 4 * block.quads;
  const int tile_items = (tiles + 31) / 32 * 32;  // whole warps do the same
  const int items = tile_items + own_small(block);
  for (int item = static_cast<int>(threadIdx.x); item < items; item += kThreads) {
    if (item < tiles)
      update_slice(block, item, rows, rule);
    else if (item >= tile_items)
      update_small(block, item - tile_items, rows, rule);
  }
  // The last thread has the least to do.
  if (block.rank == 0 && threadIdx.x == kThreads - 1) {
    float sum = 0.0f;
    for (int row = 0; row < rows; ++row) sum += block.record(row)[block.plan.loss];
    *loss = sum / static_cast<float>(rows);
  }
}

// ---- between global and shared memory ------------------------------------------------------------------------------

// Calls body(shared offset, velocity's shared offset, pointer to the parameter, pointer to its velocity) for every
// element that the block looks after: its slice, and its groups of the small tensors.
template <int kBlocks, class Body>
__device__ __forceinline__ void for_each_element(const Block<kBlocks>& block, bool all_small, const Body& body) {
  const StepsPlan& plan = block.plan;
  const PlannedLayer& first = plan.layer[0];
  for (int item = static_cast<int>(threadIdx.x); item < first.out * 4 * block.quads; item += kThreads) {
    const int output = item / (4 * block.quads), column = item % (4 * block.quads);
    if (4 * block.first_quad + column >= first.in) continue;
    const int64_t from = static_cast<int64_t>(output) * first.in + 4 * block.first_quad + column;
    const int at = output * plan.slice_stride + column;
    body(plan.weight_at + at, plan.velocity_at + at, first.weight + from, first.weight_velocity + from);
  }
  for (int item = static_cast<int>(threadIdx.x); item < plan.small; item += kThreads) {
    const int owner = item / 4 % kBlocks;
    if (!all_small && owner != block.rank) continue;
    const SmallQuad quad = find_small(plan, item / 4 * 4);
    const PlannedLayer& layer = plan.layer[quad.layer];
    const int column = quad.column + item % 4;
    if (quad.padding || column >= (quad.output < 0 ? layer.out : layer.in)) continue;
    const int64_t from = quad.output < 0 ? column : static_cast<int64_t>(quad.output) * layer.in + column;
    const int velocity_at = owner == block.rank ? plan.small_velocity_at + item / 4 / kBlocks * 4 + item % 4 : -1;
    body(plan.small_at + item, velocity_at, (quad.output < 0 ? layer.bias : layer.weight) + from,
         (quad.output < 0 ? layer.bias_velocity : layer.weight_velocity) + from);
  }
}

// A counter that starts at value % period.
struct Cycle {
  int64_t now, period;
  __device__ __forceinline__ Cycle(int64_t value, int64_t period_) : now(value % period_), period(period_) {}
  __device__ __forceinline__ int64_t after(int64_t count) const { return (now + count) % period; }
  __device__ __forceinline__ void advance() { now = now + 1 == period ? 0 : now + 1; }
};

template <int kBlocks>
__global__ void __launch_bounds__(kThreads, 1)
    sgd_steps_kernel(const __grid_constant__ StepsPlan plan, const __grid_constant__ StepsData data) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  const Block<kBlocks> block(plan, data, shared);
  for (int i = static_cast<int>(threadIdx.x); i < plan.floats; i += kThreads) shared[i] = 0.0f;
  __syncthreads();
  for_each_element(block, true, [&](int at, int velocity_at, const float* value, const float* velocity) {
    shared[at] = *value;
    if (plan.has_velocity && velocity_at >= 0) shared[velocity_at] = *velocity;
  });

  const int64_t begin = *data.step;
  Cycle batch(begin, data.steps_per_epoch), rate(begin, data.learning_rate_count),
      history(begin, data.history_capacity);
  // Where the batch of a step of this launch begins in order, and how many rows it has: none after the last.
  int64_t first_row = batch.now * plan.rows;
  const auto rows_from = [&](int64_t row, int64_t step) {
    const int64_t left = step < data.steps ? data.order_count - row : 0;
    return static_cast<int>(left < plan.rows ? left : plan.rows);
  };
  int rows = rows_from(first_row, 0), next_rows = rows_from(first_row + plan.rows, 1);
  for (int row = static_cast<int>(threadIdx.x); row < rows; row += kThreads)
    block.image()[row] = data.order[first_row + row];
  __syncthreads();
  NextBatch next;
  fetch(block, rows, first_row + plan.rows, next_rows, next);
  place(block, rows, next_rows, next);
  simt::cluster_sync();  // every block is there and ready

  for (int64_t step = 0; step < data.steps; ++step) {
    const int later_rows = rows_from(first_row + 2 * plan.rows, step + 2);
    fetch(block, next_rows, first_row + 2 * plan.rows, later_rows, next);
    const Rule rule{data.learning_rates[rate.now], data.momentum, data.weight_decay, begin + step == 0};

    multiply_slice(block, rows);
    simt::cluster_sync();

    const int own = block.own_rows(rows);
    add_partial_sums(block, own);
    __syncthreads();
    for (int l = 1; l < plan.layers; ++l) {
      forward_layer(block, own, l);
      __syncthreads();
    }
    cross_entropy(block, own, rows);
    __syncthreads();
    for (int l = plan.layers - 1; l > 0; --l) {
      backward_layer(block, own, l);
      __syncthreads();
    }
    send_records(block, own);
    simt::cluster_sync();

    update_all(block, rows, rule, data.history + history.now);
    __syncthreads();
    place(block, next_rows, later_rows, next);
    __syncthreads();
    first_row += plan.rows;
    rows = next_rows;
    next_rows = later_rows;
    rate.advance();
    history.advance();
  }

  simt::cluster_sync();  // a block stays while others may still send to it
  for_each_element(block, false, [&](int at, int velocity_at, float* value, float* velocity) {
    *value = shared[at];
    if (plan.has_velocity) *velocity = shared[velocity_at];
  });
  if (block.rank == 0 && threadIdx.x == 0) *data.step = begin + data.steps;
}

// ---- which cluster -------------------------------------------------------------------------------------------------

constexpr KernelVariant rung(int number, const char* name, const char* idea) {
  return {"sgd_steps", number, name, idea, number == 1};
}

constexpr KernelVariant kRungs[] = {
    rung(1, "cluster",
         kOnGpu ? "whole steps in one launch, by the largest cluster of blocks that the GPU has room for"
                : "whole steps in one launch, by the smallest cluster of blocks that has room for them"),
    rung(2, "cluster_of_1", "whole steps in one launch of one block: any GPU, small networks"),
    rung(3, "cluster_of_2", "whole steps in one launch of two blocks"),
    rung(4, "cluster_of_4", "whole steps in one launch of four blocks"),
    rung(5, "cluster_of_8", "whole steps in one launch of eight blocks, the most that every sm_90 runs"),
    rung(6, "cluster_of_16", "whole steps in one launch of sixteen blocks"),
};
constexpr int kLastRung = 6;

std::string stack_text(const SgdStepsArgs& args) {
  std::string text = std::to_string(args.layers[0].in);
  for (int64_t l = 0; l < args.layer_count; ++l) text += "-" + std::to_string(args.layers[l].out);
  return text;
}

// What no cluster can take.
void check_sizes(const SgdStepsArgs& args) {
  require_f32(args.dtype, "sgd_steps");
  const auto refuse = [](const std::string& text) { throw std::invalid_argument("vanilla: sgd_steps takes " + text); };
  if (args.layer_count < 1 || args.layer_count > kMostLayers)
    refuse("stacks of 1 to " + std::to_string(kMostLayers) + " linear layers, not " + std::to_string(args.layer_count));
  if (args.batch_size < 1 || args.batch_size > kMostRows)
    refuse("batches of 1 to " + std::to_string(kMostRows) + " rows, not " + std::to_string(args.batch_size));
  for (int64_t l = 0; l < args.layer_count; ++l)
    if (args.layers[l].in < 1 || args.layers[l].out < 1 || args.layers[l].in * args.layers[l].out > kMostWidth * 4 ||
        (l > 0 && args.layers[l].in != args.layers[l - 1].out))
      refuse("layers that fit each other, of at most 4194304 weights each, not " + stack_text(args));
}

template <int kBlocks>
bool has_room(Stream& stream, const StepsPlan& plan) {
  return plan.bytes() <= size_t{227} * 1024 &&
         simt::most_clusters<sgd_steps_kernel<kBlocks>>(stream, kBlocks, kThreads, plan.bytes()) > 0;
}

template <int kBlocks>
void run(Stream& stream, const SgdStepsArgs& args, const StepsPlan& plan) {
  const bool words = args.layers[0].in % 4 == 0 && reinterpret_cast<uintptr_t>(args.images) % 4 == 0;
  const StepsData data{args.images,
                       args.labels,
                       args.order,
                       args.order_count,
                       args.steps_per_epoch,
                       args.steps,
                       args.learning_rates,
                       args.learning_rate_count,
                       args.history,
                       args.history_capacity,
                       args.step,
                       args.scale,
                       args.shift,
                       static_cast<float>(args.momentum),
                       static_cast<float>(args.weight_decay),
                       words};
  simt::launch_cluster<sgd_steps_kernel<kBlocks>>(stream, 1, kBlocks, kThreads, plan.bytes(), plan, data);
}

// Calls body(std::integral_constant<int, blocks>) for a number of blocks.
template <class Body>
auto with_blocks(int blocks, const Body& body) {
  switch (blocks) {
    case 1:
      return body(std::integral_constant<int, 1>());
    case 2:
      return body(std::integral_constant<int, 2>());
    case 4:
      return body(std::integral_constant<int, 4>());
    case 8:
      return body(std::integral_constant<int, 8>());
    default:
      return body(std::integral_constant<int, 16>());
  }
}

bool has_room(Stream& stream, const SgdStepsArgs& args, int blocks, int64_t rows) {
  return with_blocks(blocks, [&](auto count) {
    return has_room<count.value>(stream, make_plan(args, count.value, static_cast<int>(rows)));
  });
}

[[noreturn]] void refuse_size(Stream& stream, const SgdStepsArgs& args, int blocks) {
  int64_t fitting = args.batch_size;
  while (fitting > 0 && !has_room(stream, args, blocks, fitting)) --fitting;
  const StepsPlan plan = make_plan(args, blocks, static_cast<int>(args.batch_size));
  throw std::invalid_argument(
      "vanilla: sgd_steps keeps a network in shared memory: " + stack_text(args) + " with batches of " +
      std::to_string(args.batch_size) + " takes " + std::to_string((plan.bytes() + 1023) / 1024) + " KB in each of " +
      std::to_string(blocks) + (blocks == 1 ? " block" : " blocks") + ", which this device has no room for; " +
      (fitting > 0 ? "batches of up to " + std::to_string(fitting) + " fit" : "no batch fits, only a smaller network"));
}

// The number of blocks that the rung asks for, or that fits best; throws where nothing does.
int choose_blocks(Stream& stream, const SgdStepsArgs& args) {
  const int chosen = stream.rungs.get("sgd_steps", 1);
  if (chosen < 1 || chosen > kLastRung)
    throw std::invalid_argument("vanilla: the rungs of sgd_steps are 1 to 6, not " + std::to_string(chosen));
  if (chosen > 1) {
    const int blocks = 1 << (chosen - 2);
    if (!has_room(stream, args, blocks, args.batch_size)) refuse_size(stream, args, blocks);
    return blocks;
  }
  constexpr int kGpuOrder[] = {16, 8, 4, 2, 1}, kCpuOrder[] = {1, 2, 4, 8, 16};
  for (const int blocks : kOnGpu ? kGpuOrder : kCpuOrder)
    if (has_room(stream, args, blocks, args.batch_size)) return blocks;
  bool clusters = !kOnGpu;
#if defined(__CUDACC__)
  clusters = stream.compute_capability >= 90;
#endif
  refuse_size(stream, args, clusters ? 16 : 1);
}

}  // namespace

std::span<const KernelVariant> sgd_steps_rungs() {
  return kRungs;
}

void sgd_steps(Stream& stream, const SgdStepsArgs& args) {
  check_sizes(args);
  const int blocks = choose_blocks(stream, args);
  if (args.probe || args.steps <= 0) return;
  with_blocks(blocks, [&](auto count) {
    run<count.value>(stream, args, make_plan(args, count.value, static_cast<int>(args.batch_size)));
  });
}

}  // namespace cairn::CAIRN_VANILLA
