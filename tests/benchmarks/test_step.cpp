// A step's split accounts for its launches.
#include <doctest/doctest.h>

#include <algorithm>

#include "benchmarks/inference.h"
#include "benchmarks/step.h"
#include "benchmarks/step_runner.h"
#include "benchmarks/timed_backend.h"
#include "framework/error.h"
#include "framework/nn/image_layers.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {

TEST_CASE("the launches of a dnn's step") {
  for (const char* implementation : {"simd", "vanilla", "reference"}) {
    StepOptions options;
    options.device.implementation = implementation;
    options.device.where = "cpu";
    options.device.threads = 1;
    options.dataset = "digits";
    options.sampling = {2, 0.01};
    const StepReport report = run_step(options);
    CHECK(report.replayed.seconds > 0);
    CHECK(report.as_written.seconds > 0);
    CHECK(report.batch_size == 64);
    int64_t launches = 0;
    double gemm_flops = 0;
    for (const StepKernel& kernel : report.kernels) {
      launches += kernel.launches;
      CHECK(kernel.seconds > 0);
      if (kernel.primitive == "gemm" || kernel.primitive.rfind("byte_linear", 0) == 0) gemm_flops += kernel.cost.flops;
    }
    CHECK(launches == report.launches);
    // Forward and weight gradient of three layers, data gradient of two; a bias each, and a ReLU each of two.
    const double macs = 784 * 32 * 2 + 32 * 32 * 3 + 32 * 10 * 3;
    CHECK(gemm_flops == 64 * (2 * macs + (32 + 32 + 10) + (32 + 32)));
    CHECK(report.kernels.front().primitive == "select_rows");
    CHECK(report.kernels.back().primitive == "finish_step");
    CHECK(report.arithmetic_floor > 0);
    CHECK(report.memory_floor > 0);
  }
}

TEST_CASE("the launches of a folded network before a batch") {
  for (const char* implementation : {"simd", "vanilla"}) {
    StepOptions options;
    options.model = "resnet20";
    options.device = {.implementation = implementation, .where = "cpu", .threads = 1};
    options.batch_size = 2;
    options.sampling = {2, 0.01};
    const StepReport report = run_inference(options);
    CHECK(report.inference);
    CHECK(report.replayed.seconds > 0);
    CHECK(report.as_written.seconds > 0);
    int64_t convolutions = 0;
    double flops = 0;
    for (const StepKernel& kernel : report.kernels) {
      CHECK(kernel.primitive.find("batch_norm") == std::string::npos);
      CHECK(kernel.primitive != "add");
      if (kernel.primitive != "conv2d_forward") continue;
      convolutions += kernel.launches;
      flops += kernel.cost.flops;
    }
    CHECK(convolutions == 19);
    CHECK(flops > 2 * 2 * 40550400.0);  // two images; biases and sums come on top
    CHECK(flops < 1.05 * 2 * 2 * 40550400);
    CHECK(report.kernels.back().primitive == "gemm");
  }
  const std::shared_ptr<Device> device = Device::open({.implementation = "simd", .where = "cpu"});
  CHECK_THROWS_WITH_AS(InferenceRunner(device, find_model("imdb-gru"), 1),
                       "inference is timed of networks of images; imdb-gru takes texts", UsageError);
  CHECK_THROWS_WITH_AS(InferenceRunner(device, find_model("lenet"), 0), "--batch-size must be 1 or more for inference",
                       UsageError);
}

TEST_CASE("many steps in one call are timed by the step") {
  StepOptions options;
  options.device.implementation = "vanilla";
  options.device.where = "cpu";
  options.device.threads = 1;
  options.device.kernels = "sgd_steps=1";
  options.dataset = "digits";
  options.sampling = {2, 0.05};
  const StepReport report = run_step(options);
  CHECK(report.launches == 1);
  REQUIRE(report.kernels.size() == 1);
  const StepKernel& kernel = report.kernels.front();
  CHECK(kernel.primitive == "sgd_steps");
  CHECK(kernel.shape == "64 x 784-32-32-10");
  const double per_row = 4 * 784 * 32 + 6 * 32 * 32 + 6 * 32 * 10 + 4 * (32 + 32) + 9 * 10;
  const double parameters = 784 * 32 + 32 + 32 * 32 + 32 + 32 * 10 + 10;
  CHECK(kernel.cost.flops == doctest::Approx(64 * per_row + 4 * parameters));
  // One step's time, not a launch's: the same by the clock of the whole and of its only part. A busy machine may hold
  // up one of the two; not every time.
  const auto alike = [](const StepReport& of) {
    return of.split_seconds < 10 * of.replayed.seconds && of.replayed.seconds < 10 * of.split_seconds;
  };
  CHECK((alike(report) || alike(run_step(options)) || alike(run_step(options))));
}

namespace {

std::shared_ptr<Module> build_with_batch_norm(const std::shared_ptr<Device>& device, Initializer& weights, DType real) {
  return std::make_shared<Sequential>(std::vector<std::pair<std::string, std::shared_ptr<Module>>>{
      {"conv", std::make_shared<Conv2d>(device, 1, 2, 5, weights, Conv2dLayerOptions{.stride = 4}, real)},
      {"norm", std::make_shared<BatchNorm2d>(device, 2, 0.1, 1e-5, real)},
      {"flatten", std::make_shared<Flatten>()},
      {"fc", std::make_shared<Linear>(device, 72, 10, weights, real)}});
}

}  // namespace

// Batch norm counts batches on the device, which is no end of a step.
TEST_CASE("the launches of a step with batch norm") {
  const ModelInfo model{"normed", "", {1, 28, 28}, 10, build_with_batch_norm, find_model("dnn").recipes};
  StepOptions options;
  options.batch_size = 16;
  options.dataset = "digits";
  const RunConfig config = step_config(options);
  for (const char* implementation : {"simd", "vanilla", "reference"}) {
    CAPTURE(implementation);
    TimedDevice timed(*find_backend(implementation, Where::cpu), {.implementation = implementation, .threads = 1});
    const DeviceData data =
        upload(timed.device(), load_quietly(options.dataset, model, config.training, ""), model, config.training, 1);
    StepRunner runner(timed.device(), model, config, data);
    runner.run(2);
    Profile profile;
    timed.attach(&profile);
    runner.run(3);
    timed.attach(nullptr);
    runner.run(1);
    CHECK(profile.steps == 3);
    CHECK_FALSE(profile.irregular);
    int64_t counts = 0;
    for (const Profile::Launch& launch : profile.launches) counts += std::string(launch.primitive) == "increment";
    CHECK(counts == 1);
    CHECK(std::string(profile.launches.back().primitive) == "finish_step");
  }
}

TEST_CASE("what makes no sense is refused") {
  StepOptions options;
  options.model = "no-such";
  CHECK_THROWS_AS(run_step(options), UsageError);
  options = {};
  options.dataset = "digits";
  options.batch_size = 100000000;
  CHECK_THROWS_AS(run_step(options), UsageError);
}

}  // namespace cairn::benchmarks
