// C of a step (sgd_steps.cu has the picture): gradients of the parameters and their update; and the parameters' way
// between global and shared memory. Not here: the deltas that it takes (layers.h).
#pragma once

#include "kernels/vanilla/sgd_steps/block.h"

namespace cairn::CAIRN_VANILLA::steps {

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
  const Cell tile(item, block.slice_quads);
  const int output = 4 * tile.row, column = 4 * tile.column;
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
  const Cell cell(at - layer.weights, layer.strides);
  return {l, cell.column, cell.row, cell.column >= layer.in};
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
  const auto there = [](float* velocity, int64_t at) { return velocity ? velocity + at : nullptr; };
  for (int item = static_cast<int>(threadIdx.x); item < first.out * 4 * block.quads; item += kThreads) {
    const int output = item / (4 * block.quads), column = item % (4 * block.quads);
    if (4 * block.first_quad + column >= first.in) continue;
    const int64_t from = static_cast<int64_t>(output) * first.in + 4 * block.first_quad + column;
    const int at = output * plan.slice_stride + column;
    body(plan.weight_at + at, plan.velocity_at + at, first.weight + from, there(first.weight_velocity, from));
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
         there(quad.output < 0 ? layer.bias_velocity : layer.weight_velocity, from));
  }
}

}  // namespace cairn::CAIRN_VANILLA::steps
