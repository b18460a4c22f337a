// A step's split accounts for its launches.
#include <doctest/doctest.h>

#include <algorithm>

#include "benchmarks/step.h"
#include "framework/error.h"

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
    CHECK(report.kernels.front().primitive == "select_batch");
    CHECK(report.kernels.back().primitive == "finish_step");
    CHECK(report.arithmetic_floor > 0);
    CHECK(report.memory_floor > 0);
  }
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
  // One step's time, not a launch's: the same by the clock of the whole and of its only part.
  CHECK(report.split_seconds < 10 * report.replayed.seconds);
  CHECK(report.replayed.seconds < 10 * report.split_seconds);
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
