// A and B of a step (sgd_steps.cu has the picture): the first layer by slices, then the rows of a block through the
// other layers, the loss and back. Not here: the update (update.h).
#pragma once

#include "kernels/vanilla/sgd_steps/block.h"

namespace cairn::CAIRN_VANILLA::steps {

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
    const Cell tile(item, plan.tile_outputs);
    const int row = tile.row, output = tile.column;
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
    const Cell cell(item, layer.output_quads);
    const int i = cell.row, column = 4 * cell.column;
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
    const Cell cell(item, layer.outputs);
    const int output = cell.column;
    float* record = block.own_record(cell.row);
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
    const Cell cell(item, layer.input_quads);
    const int column = 4 * cell.column;
    float* record = block.own_record(cell.row);
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
    const Cell cell(item, block.plan.record_quads);
    float* from = block.own_record(cell.row) + 4 * cell.column;
    Quad values;
    values.load(from);
    CAIRN_UNROLL
    for (int i = 1; i < kBlocks; ++i)
      values.store(simt::cluster_shared(from, static_cast<unsigned>((block.rank + i) % kBlocks)));
  }
}

}  // namespace cairn::CAIRN_VANILLA::steps
