#include "benchmarks/step_runner.h"

#include <algorithm>

#include "framework/error.h"

namespace cairn::benchmarks {
namespace {

constexpr int64_t kMostStepsPerSample = 200;

}  // namespace

RunConfig step_config(const StepOptions& options) {
  RunConfig config;
  config.model = options.model;
  config.recipe = options.recipe;
  config.training = find_recipe(find_model(options.model), options.recipe);
  if (options.batch_size >= 0) config.training.batch_size = options.batch_size;
  config.training.drop_last = true;
  config.training.validation_count = 0;
  config.device = options.device;
  check_config(config);
  check_sampling(options.sampling);
  return config;
}

void check_sampling(const Sampling& sampling) {
  if (sampling.repeats < 1) throw UsageError("--repeats must be at least 1");
  if (!(sampling.seconds > 0)) throw UsageError("--seconds must be more than 0");
}

datasets::Dataset load_quietly(std::string& name, const ModelInfo& model, const Recipe& recipe,
                               const std::string& data_dir) {
  datasets::LoadOptions quiet;
  quiet.quiet = true;
  quiet.allow_download = !name.empty();
  datasets::Dataset dataset = choose_dataset(name, network_input(model, recipe), data_dir, quiet);
  name = dataset.name;
  return dataset;
}

double StepRunner::run(int64_t steps) {
  return trainer_.run_steps(steps) / static_cast<double>(steps);
}

Timing time_replayed(const std::function<double(int64_t)>& run, const Sampling& sampling, int64_t most) {
  run(2);  // as written, then captured
  const double once = std::max(run(2), 1e-7);
  const double wanted = sampling.seconds / sampling.repeats / once;
  const int64_t steps = std::clamp<int64_t>(static_cast<int64_t>(wanted), 1, std::min(kMostStepsPerSample, most));
  std::vector<double> samples;
  const auto start = Clock::now();
  while (static_cast<int>(samples.size()) < sampling.repeats || seconds_since(start) < sampling.seconds)
    samples.push_back(run(steps));
  return summary(samples, steps);
}

}  // namespace cairn::benchmarks
