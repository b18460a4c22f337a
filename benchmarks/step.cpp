#include "benchmarks/step.h"

#include <algorithm>
#include <optional>

#include "benchmarks/timed_backend.h"
#include "datasets/dataset.h"
#include "framework/error.h"
#include "kernels/registry.h"
#include "trainers/fused_steps.h"
#include "trainers/trainer.h"

namespace cairn::benchmarks {
namespace {

constexpr int64_t kMostStepsPerSample = 200;

// Runs training for a number of steps at a time, in the epoch or over its end.
class StepRunner {
 public:
  StepRunner(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config,
             const DeviceData& data)
      : trainer_(device, model, config, data) {}

  // Seconds a step.
  double run(int64_t steps) {
    stop_ = false;
    Trainer::Hooks hooks;
    hooks.progress_interval = steps;
    hooks.progress = [this](int64_t, double) { stop_ = true; };
    const int64_t before = trainer_.steps_done();
    const EpochResult result = trainer_.run_epoch(hooks, stop_);
    return result.train_seconds / static_cast<double>(std::max<int64_t>(1, trainer_.steps_done() - before));
  }
  int64_t steps_per_epoch() const { return trainer_.steps_per_epoch(); }

 private:
  Trainer trainer_;
  std::atomic<bool> stop_{false};
};

datasets::Dataset load(std::string& name, const std::string& data_dir) {
  datasets::LoadOptions quiet;
  quiet.quiet = true;
  quiet.allow_download = !name.empty();
  if (!name.empty()) return datasets::load_dataset(name, data_dir, quiet);
  try {
    return datasets::load_dataset(name = "mnist", data_dir, quiet);
  } catch (const datasets::MissingDataError&) {
    return datasets::load_dataset(name = "digits", data_dir, quiet);
  }
}

// As the trainer runs them from the third step on.
Timing time_replayed(StepRunner& runner, const Sampling& sampling) {
  runner.run(2);  // as written, then captured
  const double once = std::max(runner.run(2), 1e-7);
  const double wanted = sampling.seconds / sampling.repeats / once;
  const int64_t steps =
      std::clamp<int64_t>(static_cast<int64_t>(wanted), 1, std::min(kMostStepsPerSample, runner.steps_per_epoch()));
  std::vector<double> samples;
  const auto start = Clock::now();
  while (static_cast<int>(samples.size()) < sampling.repeats || seconds_since(start) < sampling.seconds)
    samples.push_back(runner.run(steps));
  return summary(samples, steps);
}

// Launches of the same primitive on the same shape, together.
std::vector<StepKernel> grouped(const Profile& profile) {
  std::vector<StepKernel> kernels;
  const auto steps = static_cast<double>(profile.steps);
  for (const Profile::Launch& launch : profile.launches) {
    auto kernel = std::find_if(kernels.begin(), kernels.end(), [&](const StepKernel& other) {
      return other.primitive == launch.primitive && other.shape == launch.shape;
    });
    if (kernel == kernels.end()) kernel = kernels.insert(kernels.end(), {launch.primitive, launch.shape});
    ++kernel->launches;
    kernel->seconds += launch.seconds / steps;
    kernel->cost.flops += launch.cost.flops;
    kernel->cost.bytes += launch.cost.bytes;
  }
  return kernels;
}

}  // namespace

StepReport run_step(const StepOptions& options) {
  const ModelInfo& model = find_model(options.model);
  RunConfig config;
  config.model = options.model;
  config.training = model.recipes.front();
  if (options.batch_size >= 0) config.training.batch_size = options.batch_size;
  config.training.drop_last = true;  // every step is the same
  config.training.validation_count = 0;
  config.device = options.device;
  check_config(config);
  if (options.sampling.repeats < 1) throw UsageError("--repeats must be at least 1");
  if (!(options.sampling.seconds > 0)) throw UsageError("--seconds must be more than 0");

  const std::shared_ptr<Device> device = Device::open(options.device);
  StepReport report;
  report.machine = this_machine();
  report.model = options.model;
  report.dataset = options.dataset;
  report.implementation = device->implementation();
  report.device = name_of(device->where());
  report.description = device->description();
  report.threads = device->threads();
  const datasets::Dataset dataset = load(report.dataset, options.data_dir);
  report.batch_size = config.training.batch_size == 0 ? dataset.train.count : config.training.batch_size;

  size_t working_set = 0;
  {
    const DeviceData data = upload(device, dataset, model, config.training.normalization, 0, config.seed);
    const size_t resident = device->memory().live;
    std::vector<double> first_steps;
    for (int i = 0; i <= options.sampling.repeats; ++i) {
      const double seconds = StepRunner(device, model, config, data).run(1);
      if (i > 0) first_steps.push_back(seconds);
    }
    report.as_written = summary(first_steps, 1);
    StepRunner runner(device, model, config, data);
    report.replayed = time_replayed(runner, options.sampling);
    working_set = device->memory().live - resident;
  }

  // The same again with every launch timed.
  const Backend table = timed(*find_backend(report.implementation.c_str(), device->where()));
  const auto timed_device = std::make_shared<Device>(table, options.device);
  const DeviceData data = upload(timed_device, dataset, model, config.training.normalization, 0, config.seed);
  Profile profile;
  // What a CUDA graph replays does not come by; many steps in one call are no graph.
  report.split_is_replayed = device->where() == Where::cpu || FusedSteps::asked_for(options.device.kernels);
  if (report.split_is_replayed) {
    StepRunner runner(timed_device, model, config, data);
    runner.run(2);
    attach(*timed_device, &profile);
    for (int i = 0; i < options.sampling.repeats; ++i) runner.run(report.replayed.calls_per_sample);
    attach(*timed_device, nullptr);
  } else {
    for (int i = 0; i <= options.sampling.repeats; ++i) {
      StepRunner runner(timed_device, model, config, data);
      if (i > 0) attach(*timed_device, &profile);
      runner.run(1);
      attach(*timed_device, nullptr);
    }
  }
  if (profile.irregular || profile.steps == 0) throw DeviceError("the launches of a step differ from step to step");
  report.kernels = grouped(profile);
  report.launches = static_cast<int64_t>(profile.launches.size());

  double flops = 0, bytes = 0;
  for (const StepKernel& kernel : report.kernels) {
    flops += kernel.cost.flops;
    bytes += kernel.cost.bytes;
    report.split_seconds += kernel.seconds;
  }
  const bool on_cpu = device->where() == Where::cpu;
  (on_cpu ? report.cpu : report.gpu) =
      on_cpu ? measure_cpu(device->threads(), working_set) : measure_gpu(options.device.precision);
  report.arithmetic_floor = flops / (on_cpu ? report.cpu.flops : report.gpu.flops);
  report.memory_floor = bytes / (on_cpu ? report.cpu.cache_bandwidth : report.gpu.bandwidth);
  return report;
}

}  // namespace cairn::benchmarks
