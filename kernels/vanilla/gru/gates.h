// The arithmetic of one unit's gates in one step, forward and backward, which the rungs share. Not here: the sums under
// them.
#pragma once

#include <cmath>

#include "kernels/vanilla/sigmoid.h"

namespace cairn::CAIRN_VANILLA {

struct UnitGates {
  float r, z, n, hn;  // hn = W_hn h + b_hn
};

// from_x: the input's parts of r, z and n; from_h: the state's, with their bias.
__device__ __forceinline__ UnitGates unit_gates(const float (&from_x)[3], const float (&from_h)[3]) {
  const float r = sigmoid(from_x[0] + from_h[0]), z = sigmoid(from_x[1] + from_h[1]);
  return {r, z, tanhf(from_x[2] + r * from_h[2]), from_h[2]};
}
__device__ __forceinline__ float next_state(const UnitGates& gates, float before) {
  return (1.0f - gates.z) * gates.n + gates.z * before;
}
// The gradients of the three gates' sums and of hn, from that of the state after the step.
__device__ __forceinline__ UnitGates gate_gradients(const UnitGates& at, float before, float dh) {
  const float dn = dh * (1.0f - at.z) * (1.0f - at.n * at.n);
  return {dn * at.hn * at.r * (1.0f - at.r), dh * (before - at.n) * at.z * (1.0f - at.z), dn, dn * at.r};
}

// A unit's place among a step's gates: the four of one kind are `hidden` apart.
__device__ __forceinline__ UnitGates load_gates(const float* from, int64_t hidden) {
  return {from[0], from[hidden], from[2 * hidden], from[3 * hidden]};
}
__device__ __forceinline__ void store_gates(float* to, int64_t hidden, const UnitGates& gates) {
  to[0] = gates.r;
  to[hidden] = gates.z;
  to[2 * hidden] = gates.n;
  to[3 * hidden] = gates.hn;
}

}  // namespace cairn::CAIRN_VANILLA
