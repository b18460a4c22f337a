// Times the training step of a model: replayed, not replayed, and launch by launch. Not here: the trainer (trainers/),
// the table (report.h).
#pragma once

#include <string>
#include <vector>

#include "benchmarks/ceilings.h"
#include "benchmarks/costs.h"
#include "benchmarks/machine.h"
#include "benchmarks/timing.h"
#include "framework/device.h"

namespace cairn::benchmarks {

struct StepOptions {
  std::string model = "dnn";
  std::string recipe = "default";
  DeviceOptions device;
  std::string dataset;  // "" = the one that fits (datasets/choose.h)
  std::string data_dir;
  int64_t batch_size = -1;  // -1: the recipe's
  Sampling sampling;
};

struct StepKernel {
  std::string primitive, shape;
  int64_t launches = 0;  // in a step
  double seconds = 0;    // of all of them
  Cost cost;             // likewise
};

struct StepReport {
  Machine machine;
  std::string model, dataset, implementation, device, description;
  int64_t batch_size = 0;
  int threads = 0;
  Ceilings cpu, gpu;
  Timing replayed, as_written;  // of a whole step
  int64_t launches = 0;
  double split_seconds = 0;  // sum over kernels
  bool split_is_replayed = true;
  // The least a step can take: its floating-point operations at the measured peak, and its bytes at the bandwidth
  // measured within as many bytes as the step's arrays take (they stay in the caches if they fit).
  double arithmetic_floor = 0, memory_floor = 0;
  std::vector<StepKernel> kernels;  // in the order of the step
};

StepReport run_step(const StepOptions& options);

}  // namespace cairn::benchmarks
