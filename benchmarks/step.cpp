#include "benchmarks/step.h"

#include <algorithm>

#include "benchmarks/step_runner.h"
#include "benchmarks/timed_backend.h"
#include "framework/error.h"
#include "kernels/registry.h"
#include "trainers/fused_steps.h"

namespace cairn::benchmarks {
namespace {

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

// What a training step needs, on one device.
struct Bench {
  const StepOptions& options;
  const ModelInfo& model;
  RunConfig config;
  datasets::Dataset dataset;

  DeviceData data_on(const std::shared_ptr<Device>& device) const {
    return upload(device, dataset, model, config.training, config.seed);
  }
  StepRunner runner(const std::shared_ptr<Device>& device, const DeviceData& data) const {
    return StepRunner(device, model, config, data);
  }
};

// Times of the step as it is written and as it is replayed. Returns the bytes that it works on.
size_t time_steps(const Bench& bench, const std::shared_ptr<Device>& device, StepReport& report) {
  const DeviceData data = bench.data_on(device);
  const size_t resident = device->memory().live;
  std::vector<double> first_steps;
  for (int i = 0; i <= bench.options.sampling.repeats; ++i) {
    const double seconds = bench.runner(device, data).run(1);
    if (i > 0) first_steps.push_back(seconds);
  }
  report.as_written = summary(first_steps, 1);
  StepRunner runner = bench.runner(device, data);
  report.replayed =
      time_replayed([&](int64_t steps) { return runner.run(steps); }, bench.options.sampling, runner.steps_per_epoch());
  return device->memory().live - resident;
}

// The same again with every launch timed. What a CUDA graph replays does not come by: then it is the step as written.
Profile time_launches(const Bench& bench, const Device& device, const StepReport& report) {
  const StepOptions& options = bench.options;
  TimedDevice timed(*find_backend(report.implementation.c_str(), device.where()), options.device);
  const DeviceData data = bench.data_on(timed.device());
  Profile profile;
  if (report.split_is_replayed) {
    StepRunner runner = bench.runner(timed.device(), data);
    runner.run(2);
    timed.attach(&profile);
    for (int i = 0; i < options.sampling.repeats; ++i) runner.run(report.replayed.calls_per_sample);
    timed.attach(nullptr);
  } else {
    for (int i = 0; i <= options.sampling.repeats; ++i) {
      StepRunner runner = bench.runner(timed.device(), data);
      if (i > 0) timed.attach(&profile);
      runner.run(1);
      timed.attach(nullptr);
    }
  }
  return profile;
}

}  // namespace

StepReport report_on(const Device& device, const StepOptions& options) {
  StepReport report;
  report.machine = this_machine();
  report.model = options.model;
  report.dataset = options.dataset;
  report.implementation = device.implementation();
  report.device = name_of(device.where());
  report.description = device.description();
  report.threads = device.threads();
  return report;
}

void complete(StepReport& report, const Profile& profile, const Device& device, const StepOptions& options,
              size_t working_set) {
  if (profile.irregular || profile.steps == 0) throw DeviceError("the launches of a step differ from step to step");
  report.kernels = grouped(profile);
  report.launches = static_cast<int64_t>(profile.launches.size());
  double flops = 0, bytes = 0;
  for (const StepKernel& kernel : report.kernels) {
    flops += kernel.cost.flops;
    bytes += kernel.cost.bytes;
    report.split_seconds += kernel.seconds;
  }
  const bool on_cpu = device.where() == Where::cpu;
  (on_cpu ? report.cpu : report.gpu) =
      on_cpu ? measure_cpu(device.threads(), working_set) : measure_gpu(options.device.precision);
  report.arithmetic_floor = flops / (on_cpu ? report.cpu.flops : report.gpu.flops);
  report.memory_floor = bytes / (on_cpu ? report.cpu.cache_bandwidth : report.gpu.bandwidth);
}

StepReport run_step(const StepOptions& options) {
  const ModelInfo& model = find_model(options.model);
  const RunConfig config = step_config(options);
  const std::shared_ptr<Device> device = Device::open(options.device);
  StepReport report = report_on(*device, options);
  const Bench bench{options, model, config, load_quietly(report.dataset, model, config.training, options.data_dir)};
  report.batch_size = config.training.batch_size == 0 ? bench.dataset.train.count : config.training.batch_size;

  const size_t working_set = time_steps(bench, device, report);
  // Many steps in one call are no graph.
  report.split_is_replayed = device->where() == Where::cpu || FusedSteps::asked_for(options.device.kernels);
  complete(report, time_launches(bench, *device, report), *device, options, working_set);
  return report;
}

}  // namespace cairn::benchmarks
