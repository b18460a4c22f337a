// A step's split accounts for its launches.
#include <doctest/doctest.h>

#include <algorithm>

#include "benchmarks/step.h"
#include "framework/error.h"

namespace cairn::benchmarks {

TEST_CASE("the launches of a dnn's step") {
  for (const char* implementation : {"eigen", "vanilla", "reference"}) {
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
