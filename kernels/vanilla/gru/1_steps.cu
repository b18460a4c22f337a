// gru rung 1, steps: a launch for each time step. A thread has a few rows of the batch and a few neighbouring units,
// and of those all three gates, so that a gate's sum never leaves its registers:
//
//                 hidden: 3 x 8 units          weight_hh turned: hidden x 3 x padded, so that a step of k reads three
//         k       rrrrrrrr zzzzzzzz nnnnnnnn   runs of 8; units beyond the last have zeros there
//   row   h       ######## ######## ########
//   row   h       ######## ######## ########
//
// Limited by launches, and by reading all of weight_hh from the caches in every step.
#include "kernels/vanilla/elementwise.h"
#include "kernels/vanilla/gru/gates.h"
#include "kernels/vanilla/gru/gru.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// On a GPU more threads hide what waiting there is; on the CPU fewer loads a product count.
constexpr int kRows = kOnGpu ? 1 : 4, kUnits = kOnGpu ? 4 : 8, kThreads = 32;
using Units = simt::Fragment<kUnits>;

constexpr int64_t padded(int64_t hidden) {
  return divide_up(hidden, kUnits) * kUnits;
}

// turned: out[k][gate][unit] = weight[gate * hidden + unit][k];  otherwise out[gate * hidden + unit][k], k padded.
__global__ void pad_weight_kernel(int64_t hidden, int64_t wide, bool turned, const float* weight, float* out) {
  const int64_t i = element_index();
  if (i >= 3 * hidden * wide) return;
  const int64_t line = i / wide, column = i % wide;  // line: k and gate, or gate and unit
  const int64_t from = turned ? (line % 3 * hidden + column) * hidden + line / 3 : line * hidden + column;
  out[i] = column < hidden ? weight[from] : 0.0f;
}

// Where a thread works: rows from row0 on, units from unit0 on. False: nowhere.
struct Place {
  int64_t row0, unit0;
  __device__ bool find(int64_t batch, int64_t wide) {
    const int64_t thread = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x, groups = wide / kUnits;
    row0 = thread / groups * kRows;
    unit0 = thread % groups * kUnits;
    return row0 < batch;
  }
};
unsigned grid_of(int64_t batch, int64_t wide) {
  return grid_x(divide_up(divide_up(batch, kRows) * (wide / kUnits), kThreads));
}

struct ForwardStep {
  int64_t batch, hidden, wide;
  const float* weight;  // turned and padded
  const float* bias;    // or null
  BatchRows<const float> before;
  BatchRows<float> gates, after, y;
  bool keep;  // gates
};

__global__ void __launch_bounds__(kThreads) gru_forward_kernel(ForwardStep step) {
  Place at;
  if (!at.find(step.batch, step.wide)) return;
  Units sums[3][kRows];
  CAIRN_UNROLL
  for (int gate = 0; gate < 3; ++gate) {
    CAIRN_UNROLL
    for (int i = 0; i < kRows; ++i) {
      sums[gate][i].zero();
      if (step.bias)
        sums[gate][i].load_first(step.bias + gate * step.hidden + at.unit0, static_cast<int>(step.hidden - at.unit0));
    }
  }
  if (step.before.data) {
    const float* state[kRows];  // rows beyond the last are the last
    CAIRN_UNROLL
    for (int i = 0; i < kRows; ++i)
      state[i] = step.before.data + (at.row0 + i < step.batch ? at.row0 + i : step.batch - 1) * step.before.stride;
    for (int64_t k = 0; k < step.hidden; ++k) {
      CAIRN_UNROLL
      for (int gate = 0; gate < 3; ++gate) {
        Units weight;
        weight.load(step.weight + (3 * k + gate) * step.wide + at.unit0);
        CAIRN_UNROLL
        for (int i = 0; i < kRows; ++i) sums[gate][i].fma(state[i][k], weight);
      }
    }
  }
  CAIRN_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const int64_t row = at.row0 + i;
    if (row >= step.batch) break;
    float* gates = step.gates.data + row * step.gates.stride;
    CAIRN_UNROLL
    for (int u = 0; u < kUnits; ++u) {
      const int64_t unit = at.unit0 + u;
      if (unit >= step.hidden) break;
      float* place = gates + unit;
      const UnitGates now = unit_gates({place[0], place[step.hidden], place[2 * step.hidden]},
                                       {sums[0][i].get(u), sums[1][i].get(u), sums[2][i].get(u)});
      const float after = next_state(now, step.before.data ? step.before.data[row * step.before.stride + unit] : 0.0f);
      if (step.keep) store_gates(place, step.hidden, now);
      if (step.after.data) step.after.data[row * step.after.stride + unit] = after;
      if (step.y.data) step.y.data[row * step.y.stride + unit] = after;
    }
  }
}

struct BackwardStep {
  int64_t batch, hidden, wide;
  const float* weight;            // padded
  BatchRows<const float> dy;      // or none
  BatchRows<const float> next;    // the gradients of the gates of the step after this one, or none
  float* carried;                 // batch x hidden: the part of the state's gradient that passed by the gates
  BatchRows<float> gates;         // of this step, or none: before the first step
  BatchRows<const float> states;  // of this step
  float* dh0;
  bool accumulate_dh0;
};

// The gradient of the state between this step and the next, and then those of this step's gates.
__global__ void __launch_bounds__(kThreads) gru_backward_kernel(BackwardStep step) {
  Place at;
  if (!at.find(step.batch, step.wide)) return;
  Units sums[kRows];
  CAIRN_UNROLL
  for (int i = 0; i < kRows; ++i) sums[i].zero();
  if (step.next.data) {
    const float* gates[kRows];
    CAIRN_UNROLL
    for (int i = 0; i < kRows; ++i)
      gates[i] = step.next.data + (at.row0 + i < step.batch ? at.row0 + i : step.batch - 1) * step.next.stride;
    for (int64_t k = 0; k < 3 * step.hidden; ++k) {
      const int64_t gate = k < 2 * step.hidden ? k : k + step.hidden;  // of n the part that came from h
      Units weight;
      weight.load(step.weight + k * step.wide + at.unit0);
      CAIRN_UNROLL
      for (int i = 0; i < kRows; ++i) sums[i].fma(gates[i][gate], weight);
    }
  }
  CAIRN_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const int64_t row = at.row0 + i;
    if (row >= step.batch) break;
    CAIRN_UNROLL
    for (int u = 0; u < kUnits; ++u) {
      const int64_t unit = at.unit0 + u;
      if (unit >= step.hidden) break;
      float dh = step.next.data ? step.carried[row * step.hidden + unit] + sums[i].get(u) : 0.0f;
      if (step.dy.data) dh += step.dy.data[row * step.dy.stride + unit];
      if (!step.gates.data) {
        store(step.dh0 + row * step.hidden + unit, dh, step.accumulate_dh0);
        continue;
      }
      float* gates = step.gates.data + row * step.gates.stride + unit;
      const UnitGates at_gates = load_gates(gates, step.hidden);
      const float before = step.states.data[row * step.states.stride + unit];
      store_gates(gates, step.hidden, gate_gradients(at_gates, before, dh));
      step.carried[row * step.hidden + unit] = dh * at_gates.z;
    }
  }
}

void pad_weight(Stream& stream, int64_t hidden, bool turned, const float* weight, float* out) {
  simt::launch<pad_weight_kernel>(stream, element_grid(3 * hidden * padded(hidden)), kElementBlock, 0, hidden,
                                  padded(hidden), turned, weight, out);
}

}  // namespace

// The padded weight, and two states, each the next one's.
int64_t gru_forward_floats(const GruShape& shape) {
  return 3 * shape.hidden * padded(shape.hidden) + 2 * shape.batch * shape.hidden;
}

void gru_forward_by_steps(Stream& stream, const GruForwardSteps& args) {
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  const int64_t wide = padded(hidden);
  pad_weight(stream, hidden, true, args.weight_hh, args.spare);
  float* states[2] = {args.spare + 3 * hidden * wide, args.spare + 3 * hidden * wide + batch * hidden};
  ForwardStep step{
      batch, hidden, wide, args.spare, args.bias_hh, {args.h0, hidden}, {}, {}, {}, args.states != nullptr};
  for (int64_t t = 0; t < time; ++t) {
    const bool last = t + 1 == time;
    step.gates = {args.gates + t * 4 * hidden, time * 4 * hidden};
    step.y = args.last_only ? BatchRows<float>{last ? args.y : nullptr, hidden}
                            : BatchRows<float>{args.y + t * hidden, time * hidden};
    // Training keeps the states; evaluation has them in y, or needs none but the last.
    if (args.states)
      step.after = {last ? nullptr : args.states + (t + 1) * hidden, time * hidden};
    else if (args.last_only)
      step.after = {last ? nullptr : states[t % 2], hidden};
    simt::launch<gru_forward_kernel>(stream, grid_of(batch, wide), kThreads, 0, step);
    const BatchRows<float>& now = step.after.data ? step.after : step.y;
    step.before = {now.data, now.stride};
  }
}

// The padded weight, and what is carried from step to step.
int64_t gru_backward_floats(const GruShape& shape) {
  return 3 * shape.hidden * padded(shape.hidden) + shape.batch * shape.hidden;
}

void gru_backward_by_steps(Stream& stream, const GruBackwardSteps& args) {
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  const int64_t wide = padded(hidden);
  pad_weight(stream, hidden, false, args.weight_hh, args.spare);
  BackwardStep step{.batch = batch,
                    .hidden = hidden,
                    .wide = wide,
                    .weight = args.spare,
                    .dy = {},
                    .next = {},
                    .carried = args.spare + 3 * hidden * wide,
                    .gates = {},
                    .states = {},
                    .dh0 = args.dh0,
                    .accumulate_dh0 = args.accumulate_dh0};
  for (int64_t t = time - 1; t >= -1; --t) {
    if (t < 0 && !args.dh0) break;
    if (!args.last_only)
      step.dy = {t < 0 ? nullptr : args.dy + t * hidden, time * hidden};
    else
      step.dy = {t == time - 1 ? args.dy : nullptr, hidden};
    step.gates = {t < 0 ? nullptr : args.gates + t * 4 * hidden, time * 4 * hidden};
    step.states = {t < 0 ? nullptr : args.states + t * hidden, time * hidden};
    simt::launch<gru_backward_kernel>(stream, grid_of(batch, wide), kThreads, 0, step);
    step.next = {step.gates.data, step.gates.stride};
  }
}

}  // namespace cairn::CAIRN_VANILLA
