// A model's training step, run a number of times at will. Not here: what is made of its times (step.h, turns.h).
#pragma once

#include <functional>

#include "benchmarks/step.h"
#include "datasets/dataset.h"
#include "trainers/trainer.h"

namespace cairn::benchmarks {

// Training with every step alike: no short last batch, nothing held out. Throws UsageError.
RunConfig step_config(const StepOptions& options);

// What datasets/choose.h says; nothing is downloaded that was not asked for by name. `name` then says which it is.
datasets::Dataset load_quietly(std::string& name, const ModelInfo& model, const Recipe& recipe,
                               const std::string& data_dir);

// Runs training for a number of steps at a time, in the epoch or over its end.
class StepRunner {
 public:
  StepRunner(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config,
             const DeviceData& data)
      : trainer_(device, model, config, data) {}

  // Seconds a step.
  double run(int64_t steps);
  int64_t steps_per_epoch() const { return trainer_.steps_per_epoch(); }

 private:
  Trainer trainer_;
};

// Of run(n), which makes n steps and returns the seconds of one, from the third on, when they are replayed; at most
// `most` at a time. At least `repeats` samples and `seconds`.
Timing time_replayed(const std::function<double(int64_t)>& run, const Sampling& sampling, int64_t most = INT64_MAX);

// Throws UsageError for a number of samples or a time that is none.
void check_sampling(const Sampling& sampling);

}  // namespace cairn::benchmarks
