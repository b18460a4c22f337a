// Where everything lies in the shared memory of the cluster that trains a stack of linear layers: sizes, strides and
// offsets, the same for all its blocks. Not here: the kernel (sgd_steps.cu), which has the picture.
#pragma once

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA::steps {

constexpr int kMostLayers = 4;
constexpr int kMostRows = 256;  // of a batch
constexpr int kMostWidth = 1 << 20;

// Quotients by a divisor that is known before the launch, in three instructions instead of twenty: with factor = 2^32 /
// divisor, rounded up, the upper half of value * factor is the quotient as long as value * divisor < 2^32. Values here
// count things in shared memory, fewer than 2^16.
struct Divisor {
  int divisor;
  unsigned factor;  // 0: divisor 1

  Divisor() = default;
  __host__ __device__ explicit Divisor(int divisor_)
      : divisor(divisor_),
        factor(divisor_ > 1 ? static_cast<unsigned>((uint64_t{1} << 32) / static_cast<unsigned>(divisor_)) + 1 : 0) {}
  __device__ __forceinline__ int quotient(int value) const {
    return factor ? static_cast<int>(__umulhi(static_cast<unsigned>(value), factor)) : value;
  }
};

// Where a thread's item lies in a table with so many columns.
struct Cell {
  int row, column;
  __device__ __forceinline__ Cell(int item, const Divisor& columns)
      : row(columns.quotient(item)), column(item - row * columns.divisor) {}
};

struct PlannedLayer {
  float* weight;
  float* bias;
  float* weight_velocity;  // or null
  float* bias_velocity;
  int in, out;
  int weights;  // offset in the small tensors; of every layer but the first, whose weights are cut into slices
  int stride;   // floats from one row of the weights to the next
  int biases;   // offset in the small tensors
  int output;   // offset in a record: what the layer gives to the next one; not of the last layer
  Divisor outputs, output_quads, input_quads, strides;
  int delta;  // offset in a record: the loss's gradient at the layer's sum; of the last layer the logits before that
};

// Offsets and sizes in floats.
struct StepsPlan {
  PlannedLayer layer[kMostLayers];
  int layers;
  int rows;          // the most of a batch
  int quads;         // the input's columns in groups of four, the last one padded with zeros
  int slice_stride;  // from one row of a slice to the next
  int partial_rows;  // of each block's share of the batch
  int record;        // of one row: outputs and deltas of all layers, and the row's loss
  int loss;          // offset in a record
  int small;         // of all small tensors: every bias and all weights but the first layer's
  int has_velocity;
  Divisor tile_outputs;  // pairs of the first layer's outputs
  Divisor record_quads;
  // The sections of a block's shared memory.
  int weight_at, velocity_at, x_at, small_at, small_velocity_at, records_at, partial_at, image_at, label_at;
  int floats;

  size_t bytes() const { return sizeof(float) * static_cast<size_t>(floats); }
  __device__ const PlannedLayer& last() const { return layer[layers - 1]; }
};

__host__ __device__ constexpr int round_up4(int count) {
  return (count + 3) / 4 * 4;
}

// A row length that is a multiple of 4 and an odd number of groups of four: eight neighbouring rows then begin in eight
// different groups of banks, and a quarter of a warp reads 16 bytes of each at once.
constexpr int odd_quads(int count) {
  const int quads = (count + 3) / 4;
  return 4 * (quads + 1 - quads % 2);
}

// For at most kMostLayers layers; rows: of the batch.
inline StepsPlan make_plan(const SgdStepsArgs& args, int blocks, int rows) {
  StepsPlan plan{};
  plan.layers = static_cast<int>(args.layer_count);
  plan.rows = rows;
  plan.quads = round_up4(static_cast<int>(args.layers[0].in)) / 4;
  plan.has_velocity = args.momentum != 0 && args.layers[0].weight_velocity != nullptr;
  for (int l = 0; l < plan.layers; ++l) {
    const LinearLayer& from = args.layers[l];
    PlannedLayer& layer = plan.layer[l];
    layer.weight = static_cast<float*>(from.weight);
    layer.bias = static_cast<float*>(from.bias);
    layer.weight_velocity = plan.has_velocity ? static_cast<float*>(from.weight_velocity) : nullptr;
    layer.bias_velocity = plan.has_velocity ? static_cast<float*>(from.bias_velocity) : nullptr;
    layer.in = static_cast<int>(from.in);
    layer.out = static_cast<int>(from.out);
    layer.weights = plan.small;
    layer.stride = odd_quads(layer.in);
    layer.outputs = Divisor(layer.out);
    layer.output_quads = Divisor(round_up4(layer.out) / 4);
    layer.input_quads = Divisor(round_up4(layer.in) / 4);
    layer.strides = Divisor(layer.stride);
    if (l > 0) plan.small += layer.out * layer.stride;
    layer.biases = plan.small;
    plan.small += round_up4(layer.out);
    layer.output = plan.record;
    if (l + 1 < plan.layers) plan.record += round_up4(layer.out);
    layer.delta = plan.record;
    plan.record += round_up4(layer.out);
  }
  plan.loss = plan.record;
  plan.record += 4;
  plan.record_quads = Divisor(plan.record / 4);
  plan.tile_outputs = Divisor((plan.layer[0].out + 1) / 2);
  const auto divided = [&](int count) { return static_cast<int>(divide_up(count, blocks)); };
  plan.slice_stride = odd_quads(4 * divided(plan.quads));
  plan.partial_rows = divided(rows);
  const int first_width = plan.layer[0].out;
  const auto section = [&](int count) { return std::exchange(plan.floats, plan.floats + count); };
  plan.weight_at = section(first_width * plan.slice_stride);
  plan.velocity_at = section(plan.has_velocity ? first_width * plan.slice_stride : 0);
  plan.x_at = section(rows * plan.slice_stride);
  plan.small_at = section(plan.small);
  plan.small_velocity_at = section(plan.has_velocity ? 4 * divided(plan.small / 4) : 0);
  plan.records_at = section(rows * plan.record);
  plan.partial_at = section(blocks * plan.partial_rows * round_up4(first_width));
  plan.image_at = section(round_up4(rows));
  plan.label_at = section(round_up4(rows));
  return plan;
}

}  // namespace cairn::CAIRN_VANILLA::steps
