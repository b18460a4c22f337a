// The gated recurrent unit through cuDNN's calls for recurrent networks. Its equations are those of sequence_args.h and
// its gates come in the same order, but it wants all weights in one array, the states of every step for the backward
// pass, and room of a size that only it knows. So `reserve` holds cuDNN's own and then the states, and the weights are
// packed at each call: 0.3 MB beside products that read them at every step.
// Left to vanilla: what has_gru says no to. Its sums are cuBLAS's, which keep one order as long as one
// stream uses the library.
#include <algorithm>
#include <memory>

#include "kernels/cudnn/gru_plan.h"
#include "kernels/cudnn/legacy_tensor.h"
#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {
namespace {

constexpr size_t kAlignment = 256;  // of every array of the workspace and of cuDNN's part of the reserve

size_t aligned(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

size_t state_bytes(const GruShape& s, int64_t steps) {
  return static_cast<size_t>(s.batch * steps * s.hidden) * sizeof(float);
}

// Where each of the six gates' matrices and biases begin in cuDNN's array of weights.
std::vector<GruBlock> blocks_of(Stream& stream, const GruShape& shape, const GruPlan& plan) {
  std::array<int64_t, 6> matrices, biases;
  const LegacyTensor matrix(1, 1, 1, 1, "gru_forward"), bias(1, 1, 1, 1, "gru_forward");  // to be set by cuDNN
  // Addresses alone are computed, from one that is never read.
  auto* base = reinterpret_cast<char*>(kAlignment);
  for (int32_t gate = 0; gate < 6; ++gate) {
    void *matrix_at = nullptr, *bias_at = nullptr;
    check(cudnnGetRNNWeightParams(stream.cudnn, plan.describe.unit, 0, plan.weight_bytes, base, gate, matrix.get(),
                                  &matrix_at, bias.get(), &bias_at),
          "asking where weights lie");
    matrices[static_cast<size_t>(gate)] = (static_cast<char*>(matrix_at) - base) / static_cast<int64_t>(sizeof(float));
    biases[static_cast<size_t>(gate)] = (static_cast<char*>(bias_at) - base) / static_cast<int64_t>(sizeof(float));
  }
  return gru_blocks(shape, matrices, biases);
}

const GruPlan& plan_for(Stream& stream, const GruShape& s) {
  std::shared_ptr<const GruPlan>& known = stream.gru_plans[{s.batch, s.time, s.inputs, s.hidden}];
  if (known) return *known;
  auto plan = std::make_shared<GruPlan>(s, stream.precision);
  const cudnnRNNDescriptor_t unit = plan->describe.unit;
  check(cudnnGetRNNWeightSpaceSize(stream.cudnn, unit, &plan->weight_bytes), "asking for the size of weights");
  size_t training = 0, evaluation = 0, none = 0;
  check(cudnnGetRNNTempSpaceSizes(stream.cudnn, unit, CUDNN_FWD_MODE_TRAINING, plan->describe.x, &training,
                                  &plan->reserve_bytes),
        "asking for a recurrent unit's memory");
  check(cudnnGetRNNTempSpaceSizes(stream.cudnn, unit, CUDNN_FWD_MODE_INFERENCE, plan->describe.x, &evaluation, &none),
        "asking for a recurrent unit's memory");
  plan->work_bytes = std::max(training, evaluation);
  plan->blocks = blocks_of(stream, s, *plan);
  known = plan;
  return *known;
}

// What a call uses of the workspace, one after the other.
class Workspace {
 public:
  Workspace(Stream& stream, size_t bytes) : next_(static_cast<char*>(stream.workspace(bytes))) {}
  char* take(size_t bytes) {
    char* taken = next_;
    next_ += aligned(bytes);
    return taken;
  }

 private:
  char* next_;
};

void copy(Stream& stream, void* to, const void* from, size_t bytes) {
  cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream.handle), "copying GPU memory");
}

// The weights as cuDNN wants them; a bias that there is none of is zeros.
void pack(Stream& stream, const GruPlan& plan, const std::array<const void*, kGruArrays>& arrays, char* to) {
  cuda::check(cudaMemsetAsync(to, 0, plan.weight_bytes, stream.handle), "filling GPU memory");
  for (const GruBlock& block : plan.blocks)
    if (const auto* from = static_cast<const float*>(arrays[block.array]))
      copy(stream, to + block.place * static_cast<int64_t>(sizeof(float)), from + block.from,
           static_cast<size_t>(block.count) * sizeof(float));
}

// to (+)= from
void give(Stream& stream, int64_t count, const void* from, void* to, int32_t accumulate) {
  if (!accumulate) return copy(stream, to, from, static_cast<size_t>(count) * sizeof(float));
  add_by_vanilla(stream, {.dtype = DType::f32, .count = count, .a = to, .b = from, .out = to, .accumulate = 0});
}

void unpack(Stream& stream, const GruPlan& plan, const char* from, const GruBackwardArgs& args) {
  void* const arrays[] = {args.dweight_ih, args.dweight_hh, args.dbias_ih, args.dbias_hh};
  const int32_t accumulate[] = {args.accumulate_dweight_ih, args.accumulate_dweight_hh, args.accumulate_dbias_ih,
                                args.accumulate_dbias_hh};
  for (const GruBlock& block : plan.blocks)
    if (auto* to = static_cast<float*>(arrays[block.array]))
      give(stream, block.count, from + block.place * static_cast<int64_t>(sizeof(float)), to + block.from,
           accumulate[block.array]);
}

// cuDNN's part of a reserve, and the states behind it. The room was asked for with what aligning it may take.
struct Reserve {
  Reserve(const GruPlan& plan, void* reserve)
      : cudnn(reinterpret_cast<char*>(aligned(reinterpret_cast<size_t>(reserve)))),
        states(cudnn + aligned(plan.reserve_bytes)) {}
  char* cudnn;
  char* states;
};

}  // namespace

bool gru_reserve(Stream& stream, const GruShape& shape, int64_t& count) {
  if (!has_gru(DType::f32, shape)) return false;
  const size_t bytes = aligned(plan_for(stream, shape).reserve_bytes) + state_bytes(shape, shape.time) + kAlignment;
  count = static_cast<int64_t>(bytes / sizeof(float));
  return true;
}

bool gru_forward(Stream& stream, const GruForwardArgs& args) {
  const GruShape& s = args.shape;
  if (!has_gru(args.dtype, s)) return false;
  const GruPlan& plan = plan_for(stream, s);
  const size_t all_states = state_bytes(s, s.time);
  Workspace workspace(stream, aligned(plan.weight_bytes) + aligned(plan.work_bytes) + aligned(all_states));
  char* weights = workspace.take(plan.weight_bytes);
  char* work = workspace.take(plan.work_bytes);
  pack(stream, plan, {args.weight_ih, args.weight_hh, args.bias_ih, args.bias_hh}, weights);
  const Reserve reserve(plan, args.reserve);
  void* states = args.reserve ? reserve.states : args.last_only ? workspace.take(all_states) : args.y;
  check(cudnnRNNForward(
            stream.cudnn, plan.describe.unit, args.reserve ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
            nullptr, plan.describe.x, args.x, plan.describe.y, states, plan.describe.state, args.h0,
            args.last_only ? args.y : nullptr, nullptr, nullptr, nullptr, plan.weight_bytes, weights, plan.work_bytes,
            work, args.reserve ? plan.reserve_bytes : 0, args.reserve ? reserve.cudnn : nullptr),
        "gru_forward");
  if (args.reserve && !args.last_only) copy(stream, args.y, states, all_states);
  return true;
}

bool gru_backward(Stream& stream, const GruBackwardArgs& args) {
  const GruShape& s = args.shape;
  if (!has_gru(args.dtype, s)) return false;
  const GruPlan& plan = plan_for(stream, s);
  const int64_t inputs = s.batch * s.time * s.inputs, state = s.batch * s.hidden;
  const size_t input_bytes = static_cast<size_t>(inputs) * sizeof(float);
  Workspace workspace(stream, 2 * aligned(plan.weight_bytes) + aligned(plan.work_bytes) + aligned(input_bytes) +
                                  aligned(state_bytes(s, 1)));
  char* weights = workspace.take(plan.weight_bytes);
  char* dweights = workspace.take(plan.weight_bytes);
  char* work = workspace.take(plan.work_bytes);
  char* dx = workspace.take(input_bytes);
  char* dh0 = workspace.take(state_bytes(s, 1));
  pack(stream, plan, {args.weight_ih, args.weight_hh, args.bias_ih, args.bias_hh}, weights);
  const Reserve reserve(plan, args.reserve);
  const void* dy = args.last_only ? stream.zeros(state * s.time) : args.dy;
  check(cudnnRNNBackwardData_v8(stream.cudnn, plan.describe.unit, nullptr, plan.describe.y, reserve.states, dy,
                                plan.describe.x, dx, plan.describe.state, args.h0, args.last_only ? args.dy : nullptr,
                                dh0, nullptr, nullptr, nullptr, nullptr, plan.weight_bytes, weights, plan.work_bytes,
                                work, plan.reserve_bytes, reserve.cudnn),
        "gru_backward");
  if (args.dx) give(stream, inputs, dx, args.dx, args.accumulate_dx);
  if (args.dh0) give(stream, state, dh0, args.dh0, args.accumulate_dh0);
  if (!args.dweight_ih && !args.dweight_hh && !args.dbias_ih && !args.dbias_hh) return true;
  // cuDNN only adds to what is there.
  cuda::check(cudaMemsetAsync(dweights, 0, plan.weight_bytes, stream.handle), "filling GPU memory");
  check(
      cudnnRNNBackwardWeights_v8(stream.cudnn, plan.describe.unit, CUDNN_WGRAD_MODE_ADD, nullptr, plan.describe.x,
                                 args.x, plan.describe.state, args.h0, plan.describe.y, reserve.states,
                                 plan.weight_bytes, dweights, plan.work_bytes, work, plan.reserve_bytes, reserve.cudnn),
      "gru_backward");
  unpack(stream, plan, dweights, args);
  return true;
}

}  // namespace cairn::cudnn
