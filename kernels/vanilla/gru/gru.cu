// The gated recurrent unit's entries of the seam: the products over all time steps at once, and around them the rung
// that goes through the steps. Not here: the steps (1_steps.cu,
// 2_persistent.cu).
#include "kernels/vanilla/gru/gru.h"

#include <algorithm>

#include "kernels/gru_products.h"
#include "kernels/vanilla/elementwise.h"
#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// state[b, 0] = h0[b], or 0
__global__ void first_states_kernel(int64_t batch, int64_t hidden, const float* h0, int64_t stride, float* to) {
  const int64_t i = element_index();
  if (i >= batch * hidden) return;
  to[i / hidden * stride + i % hidden] = h0 ? h0[i] : 0.0f;
}

void first_states(Stream& stream, int64_t batch, int64_t hidden, const void* h0, int64_t stride, void* to) {
  simt::launch<first_states_kernel>(stream, element_grid(batch * hidden), kElementBlock, 0, batch, hidden,
                                    static_cast<const float*>(h0), stride, static_cast<float*>(to));
}

// From the sums of the gates' four columns: out[gate] (+)= sums[gate], of n the one that came from x or from h.
__global__ void bias_gradients_kernel(int64_t hidden, const float* sums, int64_t n, float* out, bool accumulate) {
  const int64_t i = element_index();
  if (i < 3 * hidden) store(out + i, sums[i < 2 * hidden ? i : i + n - 2 * hidden], accumulate);
}

void bias_gradients(Stream& stream, const GruBackwardArgs& args, const float* gates, float* sums) {
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  if (!args.dbias_ih && !args.dbias_hh) return;
  bias_backward(stream, {DType::f32, batch * time, 4 * hidden, gates, sums, 0});
  const auto place = [&](void* out, int64_t n, int32_t accumulate) {
    if (!out) return;
    simt::launch<bias_gradients_kernel>(stream, element_grid(3 * hidden), kElementBlock, 0, hidden, sums, n,
                                        static_cast<float*>(out), accumulate != 0);
  };
  place(args.dbias_ih, 2 * hidden, args.accumulate_dbias_ih);
  place(args.dbias_hh, 3 * hidden, args.accumulate_dbias_hh);
}

// ---- which rung ----------------------------------------------------------------------------------------------------

#if defined(__CUDACC__)
#define CAIRN_CLUSTERS "compute capability 9.0 or newer: "
#else
#define CAIRN_CLUSTERS ""
#endif
constexpr const char* kSteps = "one product for the input of all steps, then a launch for each step";
constexpr const char* kPersistent =
    CAIRN_CLUSTERS "all steps in one launch, the recurrent weights divided among a cluster's shared memories";
constexpr KernelVariant kRungs[] = {{"gru_forward", 1, "steps", kSteps, 1},
                                    {"gru_forward", 2, "persistent", kPersistent, 0},
                                    {"gru_backward", 1, "steps", kSteps, 1},
                                    {"gru_backward", 2, "persistent", kPersistent, 0}};

bool persistent(const Stream& stream, const char* primitive) {
  const int chosen = stream.rungs.get(primitive, 1);
  if (chosen < 1 || chosen > 2)
    throw std::invalid_argument("vanilla: the rungs of " + std::string(primitive) + " are 1 and 2, not " +
                                std::to_string(chosen));
  return chosen == 2;
}

void forward_steps(Stream& stream, const GruForwardSteps& steps) {
  persistent(stream, "gru_forward") ? gru_forward_persistent(stream, steps) : gru_forward_by_steps(stream, steps);
}
void backward_steps(Stream& stream, const GruBackwardSteps& steps) {
  persistent(stream, "gru_backward") ? gru_backward_persistent(stream, steps) : gru_backward_by_steps(stream, steps);
}

}  // namespace

std::span<const KernelVariant> gru_rungs() {
  return kRungs;
}

void gru_forward(Stream& stream, const GruForwardArgs& args) {
  require_f32(args.dtype, "gru_forward");
  const GruShape& s = args.shape;
  if (s.batch == 0 || s.hidden == 0) return;
  if (s.time == 0) {
    if (args.last_only) first_states(stream, s.batch, s.hidden, args.h0, s.hidden, args.y);
    return;
  }
  const int64_t steps = s.batch * s.time, gate_count = 4 * steps * s.hidden;
  const int64_t before = gemm_floats(stream, steps, 3 * s.hidden, s.inputs), spare = gru_forward_floats(s);
  const int64_t all = before + spare + (args.reserve ? 0 : gate_count);
  float* workspace = static_cast<float*>(stream.workspace(static_cast<size_t>(all) * sizeof(float))) + before;
  float* gates = args.reserve ? static_cast<float*>(args.reserve) : workspace + spare;
  gemm(stream, gru_input_product(args, gates));
  float* states = args.reserve ? gates + gate_count : nullptr;
  if (states) first_states(stream, s.batch, s.hidden, args.h0, s.time * s.hidden, states);
  forward_steps(stream, {.shape = s,
                         .gates = gates,
                         .h0 = static_cast<const float*>(args.h0),
                         .weight_hh = static_cast<const float*>(args.weight_hh),
                         .bias_hh = static_cast<const float*>(args.bias_hh),
                         .states = states,
                         .y = static_cast<float*>(args.y),
                         .last_only = args.last_only != 0,
                         .spare = workspace});
}

void gru_backward(Stream& stream, const GruBackwardArgs& args) {
  require_f32(args.dtype, "gru_backward");
  const int64_t batch = args.shape.batch, time = args.shape.time, inputs = args.shape.inputs,
                hidden = args.shape.hidden;
  const GruShape& s = args.shape;
  const int64_t steps = batch * time;
  // bias_backward takes no more of the workspace than products do.
  const int64_t before = std::max(gemm_floats(stream, 3 * hidden, std::max(inputs, hidden), steps),
                                  gemm_floats(stream, steps, inputs, 3 * hidden));
  const int64_t spare = std::max(gru_backward_floats(s), 4 * hidden);
  float* workspace =
      static_cast<float*>(stream.workspace(static_cast<size_t>(before + spare) * sizeof(float))) + before;
  float* gates = static_cast<float*>(args.reserve);
  const float* states = gates + 4 * steps * hidden;
  if (batch > 0 && hidden > 0)
    backward_steps(stream, {.shape = s,
                            .gates = gates,
                            .states = states,
                            .weight_hh = static_cast<const float*>(args.weight_hh),
                            .dy = static_cast<const float*>(args.dy),
                            .last_only = args.last_only != 0,
                            .dh0 = static_cast<float*>(args.dh0),
                            .accumulate_dh0 = args.accumulate_dh0 != 0,
                            .spare = workspace});
  gru_gradient_products(args, gates, states, [&](const GemmArgs& product) { gemm(stream, product); });
  if (hidden > 0) bias_gradients(stream, args, gates, workspace);
}

}  // namespace cairn::CAIRN_VANILLA
