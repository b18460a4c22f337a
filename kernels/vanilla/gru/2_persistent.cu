// gru rung 2, persistent: one launch runs all time steps. A cluster of blocks takes kRows rows of the batch through
// them and meets no other cluster; its blocks divide the units, and each keeps the weights of its own on chip:
//
//                     units: block 0   block 1   block 2            every block also has all units' states of the
//                    +-----------+-----------+-----------+          cluster's rows, twice: those before the step, and
//   W_hh    k        | r,z,n     |           |           |          those after it, which all blocks send to all
//                    +-----------+-----------+-----------+
//   states  kRows    |           |           |           |          one cluster_sync a step
//
// Backward it is the same with the columns of W_hh, and what is sent are the gradients of the gates, three times as
// much. A sum's order is that of k, whatever the number of blocks.
//
// A thread has one unit and half of the rows: for each k it reads 3 weights, which lie beside its neighbours', and 4
// states, which a warp shares, for 12 multiply-adds. What limits it is a step's latency: hidden times that, the gates,
// and the barrier.
#include <algorithm>
#include <string>

#include "kernels/vanilla/elementwise.h"
#include "kernels/vanilla/gru/gates.h"
#include "kernels/vanilla/gru/gru.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kRows = 8, kThreadRows = 4, kThreads = 256;
constexpr size_t kSharedBytes = size_t{227} * 1024;

// Of a block: its units, and where its cluster's rows begin. Rows beyond the batch are the last one, and not stored.
struct Share {
  int hidden, units;  // of each block; the last may have fewer
  int first_unit, own_units;
  int64_t first_row, batch;

  __device__ Share(const GruShape& shape, int units_)
      : hidden(static_cast<int>(shape.hidden)),
        units(units_),
        first_unit(static_cast<int>(simt::cluster_rank()) * units_),
        own_units(hidden - first_unit < units_ ? hidden - first_unit : units_),
        first_row(static_cast<int64_t>(simt::cluster_index()) * kRows),
        batch(shape.batch) {
    if (own_units < 0) own_units = 0;
  }
  __device__ __forceinline__ int64_t row(int r) const { return first_row + r < batch ? first_row + r : batch - 1; }
  __device__ __forceinline__ bool there(int r) const { return first_row + r < batch; }
};

// Calls body(unit, first of its kThreadRows rows) for what is this thread's.
template <class Body>
__device__ __forceinline__ void for_own_units(const Share& share, const Body& body) {
  for (int item = static_cast<int>(threadIdx.x); item < share.own_units * (kRows / kThreadRows); item += kThreads)
    body(item % share.own_units, item / share.own_units * kThreadRows);
}

// The same place in every block of the cluster.
__device__ __forceinline__ void send(float* to, float value) {
  for (unsigned rank = 0; rank < simt::cluster_blocks(); ++rank) *simt::cluster_shared(to, rank) = value;
}

// shared: weights, hidden x 3 x units; states, two of kRows x hidden.
__global__ void __launch_bounds__(kThreads, 1)
    gru_forward_persistent_kernel(const __grid_constant__ GruForwardSteps args, int units) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  const Share share(args.shape, units);
  const int hidden = share.hidden;
  const int64_t time = args.shape.time;
  float* const weights = shared;
  float* const states = shared + 3 * hidden * units;
  for (int i = static_cast<int>(threadIdx.x); i < 3 * hidden * share.own_units; i += kThreads) {
    const int unit = i % share.own_units, gate = i / share.own_units % 3, k = i / share.own_units / 3;
    weights[(3 * k + gate) * units + unit] =
        args.weight_hh[static_cast<int64_t>(gate * hidden + share.first_unit + unit) * hidden + k];
  }
  for (int i = static_cast<int>(threadIdx.x); i < 2 * kRows * hidden; i += kThreads)
    states[i] = i < kRows * hidden && args.h0 ? args.h0[share.row(i / hidden) * hidden + i % hidden] : 0.0f;
  simt::cluster_sync();

  for (int64_t t = 0; t < time; ++t) {
    const float* const before = states + t % 2 * kRows * hidden;
    float* const after = states + (t + 1) % 2 * kRows * hidden;
    for_own_units(share, [&](int own, int first) {
      const int unit = share.first_unit + own;
      float sums[kThreadRows][3];
      CAIRN_UNROLL
      for (int gate = 0; gate < 3; ++gate) {
        const float bias = args.bias_hh ? args.bias_hh[gate * hidden + unit] : 0.0f;
        CAIRN_UNROLL
        for (int r = 0; r < kThreadRows; ++r) sums[r][gate] = bias;
      }
      for (int k = 0; k < hidden; ++k) {
        CAIRN_UNROLL
        for (int gate = 0; gate < 3; ++gate) {
          const float weight = weights[(3 * k + gate) * units + own];
          CAIRN_UNROLL
          for (int r = 0; r < kThreadRows; ++r)
            sums[r][gate] = fmaf(before[(first + r) * hidden + k], weight, sums[r][gate]);
        }
      }
      CAIRN_UNROLL
      for (int r = 0; r < kThreadRows; ++r) {
        if (!share.there(first + r)) continue;
        const int64_t step = share.row(first + r) * time + t;
        float* place = args.gates + step * 4 * hidden + unit;
        const UnitGates gates = unit_gates({place[0], place[hidden], place[2 * hidden]}, sums[r]);
        const float state = next_state(gates, before[(first + r) * hidden + unit]);
        if (args.states) {
          store_gates(place, hidden, gates);
          if (t + 1 < time) args.states[(step + 1) * hidden + unit] = state;
        }
        if (!args.last_only) args.y[step * hidden + unit] = state;
        if (args.last_only && t + 1 == time) args.y[share.row(first + r) * hidden + unit] = state;
        send(after + (first + r) * hidden + unit, state);
      }
    });
    simt::cluster_sync();  // all have read `before`, and `after` is there
  }
}

// shared: weights, 3 hidden x units; the gates' gradients, two of kRows x 3 hidden; carried, kRows x units: the part of
// a state's gradient that passes by the gates.
__global__ void __launch_bounds__(kThreads, 1)
    gru_backward_persistent_kernel(const __grid_constant__ GruBackwardSteps args, int units) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  const Share share(args.shape, units);
  const int hidden = share.hidden, gates_width = 3 * hidden;
  const int64_t time = args.shape.time;
  float* const weights = shared;
  float* const gradients = shared + gates_width * units;
  float* const carried = gradients + 2 * kRows * gates_width;
  for (int i = static_cast<int>(threadIdx.x); i < gates_width * share.own_units; i += kThreads)
    weights[i / share.own_units * units + i % share.own_units] =
        args.weight_hh[static_cast<int64_t>(i / share.own_units) * hidden + share.first_unit + i % share.own_units];
  for (int i = static_cast<int>(threadIdx.x); i < 2 * kRows * gates_width; i += kThreads) gradients[i] = 0.0f;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * units; i += kThreads) carried[i] = 0.0f;
  simt::cluster_sync();

  for (int64_t t = time - 1; t >= -1; --t) {
    const float* const next = gradients + (t + 1) % 2 * kRows * gates_width;  // of step t + 1; zeros after the last
    float* const now = gradients + (t + 2) % 2 * kRows * gates_width;
    for_own_units(share, [&](int own, int first) {
      const int unit = share.first_unit + own;
      float sums[kThreadRows];
      CAIRN_UNROLL
      for (int r = 0; r < kThreadRows; ++r) sums[r] = 0.0f;
      for (int k = 0; k < gates_width; ++k) {
        const float weight = weights[k * units + own];
        CAIRN_UNROLL
        for (int r = 0; r < kThreadRows; ++r) sums[r] = fmaf(next[(first + r) * gates_width + k], weight, sums[r]);
      }
      CAIRN_UNROLL
      for (int r = 0; r < kThreadRows; ++r) {
        if (!share.there(first + r)) continue;
        const int64_t row = share.row(first + r), step = row * time + t;
        float dh = carried[(first + r) * units + own] + sums[r];
        if (args.last_only && t + 1 == time) dh += args.dy[row * hidden + unit];
        if (!args.last_only && t >= 0) dh += args.dy[step * hidden + unit];
        if (t < 0) {
          if (args.dh0) store(args.dh0 + row * hidden + unit, dh, args.accumulate_dh0);
          continue;
        }
        float* place = args.gates + step * 4 * hidden + unit;
        const UnitGates at = load_gates(place, hidden);
        const UnitGates gradient = gate_gradients(at, args.states[step * hidden + unit], dh);
        store_gates(place, hidden, gradient);
        carried[(first + r) * units + own] = dh * at.z;
        float* to = now + (first + r) * gates_width + unit;
        send(to, gradient.r);
        send(to + hidden, gradient.z);
        send(to + 2 * hidden, gradient.hn);  // of n the part that came from h
      }
    });
    simt::cluster_sync();  // all have read `next`, and `now` is there
  }
}

// How many blocks a cluster needs, and how many units each has.
struct Division {
  unsigned blocks;
  int units;
  size_t bytes;
};

template <auto kernel, class Floats>
Division divide(Stream& stream, const char* primitive, int64_t hidden, const Floats& floats) {
  for (unsigned blocks = 1; blocks <= 16; blocks *= 2) {
    const int64_t units = divide_up(hidden, blocks);
    const size_t bytes = static_cast<size_t>(floats(units)) * sizeof(float);
    if (bytes > kSharedBytes) continue;
    if (blocks > 1 && !simt::has_clusters<kernel>(stream))
      throw std::invalid_argument("vanilla: " + std::string(primitive) + "=2: " + std::to_string(hidden) +
                                  " hidden units take " + std::to_string(blocks) +
                                  " blocks, for which it needs thread-block clusters, compute capability 9.0; rung 1 "
                                  "needs none");
    if (simt::most_clusters<kernel>(stream, blocks, kThreads, bytes) > 0)
      return {blocks, static_cast<int>(units), bytes};
  }
  throw std::invalid_argument("vanilla: " + std::string(primitive) +
                              "=2 keeps the recurrent weights in shared memory; " + "those of " +
                              std::to_string(hidden) + " hidden units do not fit, rung 1 takes any size");
}

unsigned clusters_of(const GruShape& shape) {
  return grid_x(divide_up(shape.batch, kRows));
}

}  // namespace

void gru_forward_persistent(Stream& stream, const GruForwardSteps& args) {
  const int64_t hidden = args.shape.hidden;
  const Division by = divide<gru_forward_persistent_kernel>(
      stream, "gru_forward", hidden, [=](int64_t units) { return 3 * hidden * units + 2 * kRows * hidden; });
  simt::launch_cluster<gru_forward_persistent_kernel>(stream, clusters_of(args.shape), by.blocks, kThreads, by.bytes,
                                                      args, by.units);
}

void gru_backward_persistent(Stream& stream, const GruBackwardSteps& args) {
  const int64_t hidden = args.shape.hidden;
  const Division by = divide<gru_backward_persistent_kernel>(stream, "gru_backward", hidden, [=](int64_t units) {
    return 3 * hidden * units + 6 * kRows * hidden + kRows * units;
  });
  simt::launch_cluster<gru_backward_persistent_kernel>(stream, clusters_of(args.shape), by.blocks, kThreads, by.bytes,
                                                       args, by.units);
}

}  // namespace cairn::CAIRN_VANILLA
