// Times the training step of a model: replayed, not replayed, and launch by launch. Not here: the trainer (trainers/),
// the table (report.h).
#pragma once

#include <string>
#include <vector>

#include "benchmarks/ceilings.h"
#include "benchmarks/costs.h"
#include "benchmarks/machine.h"
#include "benchmarks/timed_backend.h"
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
  bool inference = false;   // the forward pass of a batch instead, folded (inference.h)
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
  bool inference = false;  // what is a step here is a batch's forward pass
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

// What the reports of steps and of inference share: the machine, the device and the model; and, once it is timed, what
// follows from the launches. Throws DeviceError for a profile of steps that differ.
StepReport report_on(const Device& device, const StepOptions& options);
void complete(StepReport& report, const Profile& profile, const Device& device, const StepOptions& options,
              size_t working_set);

}  // namespace cairn::benchmarks
