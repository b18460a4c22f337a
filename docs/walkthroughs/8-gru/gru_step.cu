// Walkthrough 8: one time step of a GRU as a kernel, small enough to be followed in gdb. It is gru_forward_kernel of
// kernels/vanilla/gru/1_steps.cu with a thread for a single unit. Unit 0 is the one of gru.cpp; unit 1 hears nothing of
// it.
#include <cmath>
#include <cstdio>

#include "kernels/vanilla/gru/gates.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kUnits = 2, kSteps = 3;

// from_x: the input's parts of the gates, r, then z, then n, `units` each; weight: 3 units x units.
__global__ void gru_step(int t, int units, const float* from_x, const float* weight, const float* h, float* after) {
  const int unit = static_cast<int>(threadIdx.x);
  if (unit >= units) return;
  float x_part[3], h_part[3];
  for (int gate = 0; gate < 3; ++gate) {
    const int row = gate * units + unit;
    x_part[gate] = from_x[row];
    h_part[gate] = 0.0f;
    for (int k = 0; k < units; ++k) h_part[gate] += weight[row * units + k] * h[k];
  }
  const UnitGates gates = unit_gates(x_part, h_part);
  after[unit] = next_state(gates, h[unit]);
  static_cast<void>(t);  // asked for by the breakpoint
}

void run() {
  StreamOptions options{};
  options.threads = 1;
  simt::Stream stream(options);
  const float inputs[kSteps] = {1, 1, -1}, log2 = std::log(2.0f), log3 = std::log(3.0f);
  const float weight_ih[3 * kUnits] = {0, 0, -log3, 0, log2, 1};
  const float weight_hh[3 * kUnits * kUnits] = {1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1};
  float states[kSteps + 1][kUnits] = {}, from_x[kSteps][3 * kUnits];
  for (int t = 0; t < kSteps; ++t)  // one product for all time steps
    for (int row = 0; row < 3 * kUnits; ++row) from_x[t][row] = weight_ih[row] * inputs[t];
  for (int t = 0; t < kSteps; ++t) {
    simt::launch<gru_step>(stream, dim3(1), dim3(kUnits), 0, t + 1, kUnits, static_cast<const float*>(from_x[t]),
                           static_cast<const float*>(weight_hh), static_cast<const float*>(states[t]), states[t + 1]);
    std::printf("step %d: %.6f %.6f\n", t + 1, static_cast<double>(states[t + 1][0]),
                static_cast<double>(states[t + 1][1]));
  }
}

}  // namespace
}  // namespace cairn::CAIRN_VANILLA

int main() {
  cairn::CAIRN_VANILLA::run();
}
