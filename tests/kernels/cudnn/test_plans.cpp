// The graphs of convolutions and pools and the plans that cuDNN makes of them, for GPUs that are only described: every
// shape of the sweep has a plan, and every plan keeps to what was asked. No GPU is needed and nothing is computed. Not
// here: results (test_conv2d.cpp, test_pooling.cpp, on a GPU).
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "kernels/cudnn/conv2d_graph.h"
#include "kernels/cudnn/pooling_graph.h"

namespace cairn::cudnn {
namespace {

// What cuDNN asks a device for, in its own form. The driver is new enough for each.
Descriptor described(const char* name, int capability, int multiprocessors, int shared_bytes,
                     const char* memory_bytes) {
  const std::string text =
      std::string(R"({"deviceName":")") + name + R"(","deviceVer":)" + std::to_string(capability) +
      R"(,"driverVer":13000,"multiProcessorCount":)" + std::to_string(multiprocessors) +
      R"(,"maxSharedMemoryPerBlockOptin":)" + std::to_string(shared_bytes) + R"(,"totalGlobalMem":)" + memory_bytes +
      R"(,"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,"warpSize":32,
          "maxSharedMemoryPerBlock":49152,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,
          "maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,
          "supportCoopLaunch":1,"smClockRateKHz":1500000,"memClockRateKHz":1600000,"l2CacheSize":41943040,
          "cudaDeviceId":0})";
  const std::vector<char> characters(text.c_str(), text.c_str() + text.size() + 1);
  Descriptor result(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  result.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::span<const char>(characters)).finalize();
  return result;
}

const Descriptor& a100() {
  static const Descriptor result = described("NVIDIA A100-SXM4-80GB", 800, 108, 166912, "84987740160");
  return result;
}
const Descriptor& h100() {
  static const Descriptor result = described("NVIDIA H100 80GB HBM3", 900, 132, 232448, "85017755648");
  return result;
}

constexpr Limits kLimits{.workspace_bytes = int64_t{256} << 20};
constexpr Convolution kKinds[] = {Convolution::forward, Convolution::backward_data, Convolution::backward_filter};

std::vector<Plan> plans_for(const Descriptor& device, const ConvolutionCase& c, const Limits& limits, size_t most) {
  const Target target{.description = &device};
  return find_plans(target, convolution_graph(target, c), limits, most);
}

bool has_note(const Plan& plan, cudnnBackendNumericalNote_t wanted) {
  const std::vector<Descriptor> engine =
      plan.configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  const auto notes = engine.at(0).notes(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
  return std::find(notes.begin(), notes.end(), wanted) != notes.end();
}

bool any_has_note(const std::vector<Plan>& plans, cudnnBackendNumericalNote_t wanted) {
  return std::any_of(plans.begin(), plans.end(), [&](const Plan& plan) { return has_note(plan, wanted); });
}

// A shape whose height and width go by the same numbers. beyond: rows and columns of y more than fit.
Conv2dShape square(int64_t batch, int64_t in_channels, int64_t in, int64_t out_channels, int64_t kernel, int64_t stride,
                   int64_t pad, int64_t beyond = 0) {
  const int64_t out = (in + 2 * pad - kernel) / stride + 1 + beyond;
  return {batch, in_channels, in, in, out_channels, out, out, kernel, kernel, stride, stride, pad, pad};
}

std::vector<Conv2dShape> sweep() {
  struct Channels {
    int64_t in, out;
  };
  constexpr Channels kChannels[] = {{1, 1}, {3, 5}, {1, 7}, {5, 1}, {9, 17}};
  std::vector<Conv2dShape> shapes;
  size_t turn = 0;
  for (int64_t kernel : {1, 3, 5, 7})
    for (int64_t stride : {1, 2, 3})
      for (int64_t pad = 0; pad <= 3; ++pad, ++turn) {
        const Channels channels = kChannels[turn % 5];
        shapes.push_back(square(turn % 2 ? 3 : 1, channels.in, 9, channels.out, kernel, stride, pad,
                                static_cast<int64_t>(turn % 7 == 1)));
      }
  for (const Conv2dShape& shape : {square(100, 1, 28, 20, 5, 1, 0), square(100, 20, 12, 50, 5, 1, 0),
                                   square(64, 1, 28, 32, 5, 1, 2), square(64, 32, 14, 64, 5, 1, 2)})
    shapes.push_back(shape);  // of the networks for MNIST
  return shapes;
}

std::vector<ConvolutionCase> cases_of(const Conv2dShape& shape, int64_t alignment) {
  std::vector<ConvolutionCase> cases;
  for (Convolution kind : kKinds) {
    const bool forward = kind == Convolution::forward;
    for (bool first : {false, true})
      for (bool relu : {false, true}) {
        if (relu && !(forward && first)) continue;  // a ReLU always comes with a bias
        cases.push_back({.kind = kind,
                         .shape = shape,
                         .bias = forward && first,
                         .relu = relu,
                         .accumulate = !forward && first,
                         .alignments = {alignment, alignment, alignment, alignment, alignment}});
        if (!forward || !first) continue;  // so does another array
        cases.push_back(cases.back());
        cases.back().add = true;
      }
  }
  return cases;
}

std::string text_of(const ConvolutionCase& c) {
  const Conv2dShape& s = c.shape;
  std::string text = "kind " + std::to_string(static_cast<int>(c.kind)) + (c.bias ? " bias" : "") +
                     (c.add ? " add" : "") + (c.relu ? " relu" : "") + (c.accumulate ? " accumulate" : "") +
                     ", aligned to " + std::to_string(c.alignments[0]) + ":";
  for (int64_t size : {s.batch, s.in_channels, s.in_height, s.out_channels, s.out_height, s.kernel_height,
                       s.stride_height, s.pad_height})
    text += " " + std::to_string(size);
  return text;
}

}  // namespace

TEST_CASE("every convolution of the sweep has a plan in float that gives the same bits each time") {
  for (const Descriptor* device : {&a100(), &h100()})
    for (const Conv2dShape& shape : sweep())
      for (int64_t alignment : {4, 16})
        for (const ConvolutionCase& c : cases_of(shape, alignment)) {
          INFO(text_of(c));
          const std::vector<Plan> plans = plans_for(*device, c, kLimits, 1);
          CHECK(plans.size() == 1);
          for (const Plan& plan : plans) CHECK(plan.workspace_bytes <= kLimits.workspace_bytes);
        }
}

TEST_CASE("every convolution with a ReLU has a plan that keeps nan") {
  Limits limits = kLimits;
  limits.keeps_nan = true;
  int others = 0;
  for (const Descriptor* device : {&a100(), &h100()})
    for (const Conv2dShape& shape : sweep())
      for (int64_t alignment : {4, 16})
        for (const ConvolutionCase& c : cases_of(shape, alignment)) {
          if (!c.relu) continue;
          INFO(text_of(c));
          const std::vector<Plan> plans = plans_for(*device, c, limits, 1);
          REQUIRE(plans.size() == 1);
          CHECK(has_note(plans[0], CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP));
          others += !any_has_note(plans_for(*device, c, kLimits, 1), CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP);
        }
  CHECK(others > 0);  // it has to be asked for
}

TEST_CASE("plans keep to the precision, the order and the workspace that they may have") {
  const Conv2dShape shape = square(32, 64, 28, 64, 3, 1, 1);
  for (Convolution kind : kKinds) {
    const ConvolutionCase c{.kind = kind, .shape = shape};
    const std::vector<Plan> strict = plans_for(a100(), c, kLimits, 100);
    CHECK(strict.size() > 1);
    for (int note = 0; note < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; ++note)
      if (note != CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP)
        CHECK_FALSE(any_has_note(strict, static_cast<cudnnBackendNumericalNote_t>(note)));

    // What was left out is there when it is asked for.
    Limits limits = kLimits;
    for (const Precision precision : {Precision::tf32, Precision::bf16}) {
      limits.precision = precision;
      CHECK(any_has_note(plans_for(a100(), c, limits, 100), CUDNN_NUMERICAL_NOTE_TENSOR_CORE));
    }
    limits = kLimits;
    limits.any_order = true;
    CHECK(any_has_note(plans_for(a100(), c, limits, 100), CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) ==
          (kind != Convolution::forward));

    limits = kLimits;
    limits.precision = Precision::tf32;
    const std::vector<Plan> all = plans_for(a100(), c, limits, 100);
    CHECK(std::any_of(all.begin(), all.end(), [](const Plan& plan) { return plan.workspace_bytes > 0; }));
    limits.workspace_bytes = 0;
    for (const Plan& plan : plans_for(a100(), c, limits, 100)) CHECK(plan.workspace_bytes == 0);
  }
  const ConvolutionCase forward{.kind = Convolution::forward, .shape = shape};
  CHECK(plans_for(h100(), forward, kLimits, 3).size() == 3);
}

TEST_CASE("an output that stops short of x, or a shape that does not fit, is one line") {
  const Target target{.description = &h100()};
  ConvolutionCase c{.kind = Convolution::forward, .shape = square(1, 1, 9, 1, 3, 1, 0, -2)};
  CHECK_THROWS_WITH(convolution_graph(target, c),
                    "cudnn's conv2d computes every output along an axis or none: 5 were asked for, of 7");
  c.shape = square(1, 1, 9, 1, 3, 1, 0);
  c.shape.batch = -1;
  try {
    convolution_graph(target, c);
    FAIL("it was accepted");
  } catch (const CudnnError& error) {
    const std::string text = error.what();
    CHECK(text.find("cudnnBackend") == 0);
    CHECK(text.find("CUDNN_STATUS_BAD_PARAM") != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
  }
}

TEST_CASE("every pool with the same padding on all sides has a plan; no other pool counts as one") {
  int even = 0;
  for (const Descriptor* device : {&a100(), &h100()})
    for (int64_t window : {1, 2, 3, 7})
      for (int64_t stride : {1, 2, 3})
        for (int64_t pad = 0; 2 * pad <= window; ++pad)
          for (int64_t in : {7, 12, 24})
            for (int64_t beyond : {0, 1}) {
              const int64_t out = (in + 2 * pad - window) / stride + 1 + beyond;
              const PoolShape shape{5, in, in, out, out, window, window, stride, stride, pad, pad};
              CHECK(has_even_padding(shape) == (beyond == 0));
              if (beyond != 0) continue;
              ++even;
              for (const Pool kind : {Pool::max, Pool::average, Pool::average_without_padding})
                for (const bool backward : {false, true}) {
                  if (backward && kind == Pool::max) continue;
                  INFO("window ", window, " stride ", stride, " pad ", pad, " in ", in, " backward ", backward);
                  const Target target{.description = device};
                  const PoolCase c{.kind = kind, .backward = backward, .shape = shape, .alignments = {4, 4}};
                  CHECK(find_plans(target, pool_graph(target, c), {.workspace_bytes = 0}, 1).size() == 1);
                }
            }
  CHECK(even == 2 * 3 * 3 * (1 + 2 + 2 + 4));
}

}  // namespace cairn::cudnn
