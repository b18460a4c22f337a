// Convolution through cuDNN's graph API: forward with bias and ReLU fused, and the gradients of data and filter. Not
// here: the graphs (conv2d_graph.h), which engines may run them (plan.h); the bias's gradient falls back on vanilla.
// Not yet run on a GPU.
//
// A plan is made at the first call of its kind: for these sizes, this epilogue and this alignment of the arrays. The
// rung says how: 1 takes the heuristic's first engine, 2 and 3 time what it proposes on the call's own arrays.
#include <algorithm>
#include <bit>
#include <stdexcept>

#include "kernels/cudnn/conv2d_graph.h"
#include "kernels/cudnn/primitives.h"
#include "kernels/cudnn/timing.h"

namespace cairn::cudnn {
namespace {

// Engines beyond it are not considered. Only what the chosen one needs is allocated.
constexpr int64_t kMostWorkspaceBytes = int64_t{256} << 20;
constexpr size_t kMostTimedPlans = 12;

constexpr const char* kNames[] = {"conv2d_forward", "conv2d_backward_data", "conv2d_backward_filter"};

const char* name_of(Convolution kind) {
  return kNames[static_cast<int>(kind)];
}

constexpr KernelVariant rung(int kind, PlanChoice number, const char* name, const char* idea) {
  return {kNames[kind], number, name, idea, number == kHeuristic};
}
constexpr KernelVariant heuristic(int kind) {
  return rung(kind, kHeuristic, "heuristic", "the engine that cuDNN's heuristic names first");
}
constexpr KernelVariant timed(int kind) {
  return rung(kind, kTimed, "timed", "the fastest of up to 12 engines, timed at the first call of a shape");
}
constexpr KernelVariant timed_any_order(int kind) {
  return rung(kind, kTimedAnyOrder, "timed_any_order",
              "as timed, among engines too that sum in any order: not bitwise");
}
constexpr KernelVariant kRungs[] = {heuristic(0), timed(0), timed_any_order(0),  //
                                    heuristic(1), timed(1), timed_any_order(1),  //
                                    heuristic(2), timed(2), timed_any_order(2)};

PlanChoice chosen_rung(const Stream& stream, Convolution kind) {
  const int chosen = stream.rungs.get(name_of(kind), stream.autotune ? kTimed : kHeuristic);
  if (chosen < kHeuristic || chosen > kTimedAnyOrder)
    throw std::invalid_argument(std::string("cudnn: the rungs of ") + name_of(kind) + " are 1 to " +
                                std::to_string(kTimedAnyOrder) + ", not " + std::to_string(chosen));
  return static_cast<PlanChoice>(chosen);
}

ConvolutionKey key_of(const ConvolutionCase& c) {
  const auto shape = std::bit_cast<std::array<int64_t, 13>>(c.shape);
  ConvolutionKey key{static_cast<int64_t>(c.kind), c.bias, c.add, c.relu, c.accumulate};
  const auto end = std::copy(std::begin(c.alignments), std::end(c.alignments), key.begin() + 5);
  std::copy(shape.begin(), shape.end(), end);
  return key;
}

std::string text_of(const ConvolutionCase& c) {
  const Conv2dShape& s = c.shape;
  const auto product = [](std::initializer_list<int64_t> sizes) {
    std::string text;
    for (int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
    return text;
  };
  return "x " + product({s.batch, s.in_channels, s.in_height, s.in_width}) + ", weight " +
         product({s.out_channels, s.in_channels, s.kernel_height, s.kernel_width}) + ", y " +
         product({s.batch, s.out_channels, s.out_height, s.out_width}) + ", stride " +
         product({s.stride_height, s.stride_width}) + ", padding " + product({s.pad_height, s.pad_width});
}

// The arrays of one call, by their identities.
struct Call {
  const void* arrays[kConvolutionArrays];
  ConvolutionArray output;
};

int64_t count_of(const Conv2dShape& s, ConvolutionArray array) {
  switch (array) {
    case kImages:
      return s.batch * s.in_channels * s.in_height * s.in_width;
    case kWeight:
      return s.out_channels * s.in_channels * s.kernel_height * s.kernel_width;
    case kOutputs:
    case kAdded:
      return s.batch * s.out_channels * s.out_height * s.out_width;
    default:
      return s.out_channels;
  }
}

std::vector<ConvolutionArray> arrays_in(const ConvolutionCase& c) {
  std::vector<ConvolutionArray> arrays = {kImages, kWeight, kOutputs};
  if (c.bias) arrays.push_back(kBias);
  if (c.add) arrays.push_back(kAdded);
  return arrays;
}

Arrays arrays_of(const ConvolutionCase& c, const Call& call) {
  Arrays arrays;
  for (const ConvolutionArray array : arrays_in(c)) arrays.add(array, call.arrays[array]);
  return arrays;
}

Plan make_plan(Stream& stream, const ConvolutionCase& c, const Call& call) {
  const PlanChoice rung = chosen_rung(stream, c.kind);
  const Target target{.handle = stream.cudnn};
  const Limits limits{.precision = stream.precision,
                      .any_order = rung == kTimedAnyOrder,
                      .workspace_bytes = kMostWorkspaceBytes,
                      .keeps_nan = c.relu};
  std::vector<Plan> plans =
      find_plans(target, convolution_graph(target, c), limits, rung == kHeuristic ? 1 : kMostTimedPlans);
  if (plans.empty()) {
    const std::string failure = last_failure();
    throw std::runtime_error("cuDNN has no engine in this precision that gives the same bits at each run for " +
                             text_of(c) + (failure.empty() ? "" : ": " + failure));
  }
  if (rung == kHeuristic) return std::move(plans.front());

  // What is timed must not reach the caller's array.
  const Scratch output(stream, static_cast<size_t>(count_of(c.shape, call.output)) * sizeof(float));
  Call trial = call;
  trial.arrays[call.output] = output.get();
  return fastest(stream, std::move(plans), arrays_of(c, trial));
}

// c's fields that follow from the arrays' addresses are filled in here.
void convolve(Stream& stream, ConvolutionCase c, const Call& call) {
  for (const ConvolutionArray array : arrays_in(c)) c.alignments[array] = alignment(call.arrays[array]);
  const ConvolutionKey key = key_of(c);
  auto known = stream.convolution_plans.find(key);
  if (known == stream.convolution_plans.end())
    known = stream.convolution_plans.emplace(key, make_plan(stream, c, call)).first;
  const Plan& plan = known->second;
  run(stream.cudnn, plan, arrays_of(c, call), stream.workspace(static_cast<size_t>(plan.workspace_bytes)));
}

void fill_zero(Stream& stream, void* to, int64_t count) {
  cuda::check(cudaMemsetAsync(to, 0, static_cast<size_t>(count) * sizeof(float), stream.handle), "filling GPU memory");
}

void require_f32(DType dtype, Convolution kind) {
  if (dtype != DType::f32) throw std::runtime_error(std::string("cudnn's ") + name_of(kind) + " computes in f32 only");
}

// Whether the array that comes from these two is a sum of no products at all.
bool is_empty_sum(const Conv2dShape& s, ConvolutionArray a, ConvolutionArray b) {
  return count_of(s, a) == 0 || count_of(s, b) == 0;
}

// A convolution whose result is 0 everywhere: of zeros with zeros, kernels of one element.
void convolve_zeros(Stream& stream, ConvolutionCase c, Call call) {
  const Conv2dShape& s = c.shape;
  c.shape = {.batch = s.batch,
             .in_channels = 1,
             .in_height = s.out_height,
             .in_width = s.out_width,
             .out_channels = s.out_channels,
             .out_height = s.out_height,
             .out_width = s.out_width,
             .kernel_height = 1,
             .kernel_width = 1,
             .stride_height = 1,
             .stride_width = 1,
             .pad_height = 0,
             .pad_width = 0};
  call.arrays[kImages] = call.arrays[kWeight] =
      stream.zeros(std::max(count_of(c.shape, kImages), count_of(c.shape, kWeight)));
  convolve(stream, c, call);
}

}  // namespace

const KernelVariant* variants(int32_t* count) {
  *count = static_cast<int32_t>(std::size(kRungs));
  return kRungs;
}

// cuDNN knows no empty sums, and fuses a ReLU and another array only with a bias, which may be zero.
void conv2d_forward(Stream& stream, const Conv2dForwardArgs& args) {
  require_f32(args.dtype, Convolution::forward);
  const Conv2dShape& s = args.shape;
  if (count_of(s, kOutputs) == 0) return;
  const bool is_zero = is_empty_sum(s, kImages, kWeight);
  if (is_zero && !args.bias && !args.add) return fill_zero(stream, args.y, count_of(s, kOutputs));
  const bool relu = args.relu != 0;
  const void* bias = (relu || args.add) && !args.bias ? stream.zeros(s.out_channels) : args.bias;
  const ConvolutionCase c{
      .kind = Convolution::forward, .shape = s, .bias = bias != nullptr, .add = args.add != nullptr, .relu = relu};
  const Call call{{args.x, args.weight, args.y, bias, args.add}, kOutputs};
  is_zero ? convolve_zeros(stream, c, call) : convolve(stream, c, call);
}

void conv2d_backward_data(Stream& stream, const Conv2dBackwardDataArgs& args) {
  require_f32(args.dtype, Convolution::backward_data);
  const Conv2dShape& s = args.shape;
  if (count_of(s, kImages) == 0) return;
  if (!is_empty_sum(s, kOutputs, kWeight))
    convolve(stream, {.kind = Convolution::backward_data, .shape = s, .accumulate = args.accumulate != 0},
             {{args.dx, args.weight, args.dy}, kImages});
  else if (!args.accumulate)
    fill_zero(stream, args.dx, count_of(s, kImages));
}

void conv2d_backward_filter(Stream& stream, const Conv2dBackwardFilterArgs& args) {
  require_f32(args.dtype, Convolution::backward_filter);
  const Conv2dShape& s = args.shape;
  if (count_of(s, kWeight) == 0) return;
  if (!is_empty_sum(s, kImages, kOutputs))
    convolve(stream, {.kind = Convolution::backward_filter, .shape = s, .accumulate = args.accumulate != 0},
             {{args.x, args.dweight, args.dy}, kWeight});
  else if (!args.accumulate)
    fill_zero(stream, args.dweight, count_of(s, kWeight));
}

}  // namespace cairn::cudnn
