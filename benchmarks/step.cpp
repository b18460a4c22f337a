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

}  // namespace

StepReport run_step(const StepOptions& options) {
  const ModelInfo& model = find_model(options.model);
  const RunConfig config = step_config(options);

  const std::shared_ptr<Device> device = Device::open(options.device);
  StepReport report;
  report.machine = this_machine();
  report.model = options.model;
  report.dataset = options.dataset;
  report.implementation = device->implementation();
  report.device = name_of(device->where());
  report.description = device->description();
  report.threads = device->threads();
  const datasets::Dataset dataset = load_quietly(report.dataset, model, config.training, options.data_dir);
  report.batch_size = config.training.batch_size == 0 ? dataset.train.count : config.training.batch_size;

  size_t working_set = 0;
  {
    const DeviceData data = upload(device, dataset, model, config.training, config.seed);
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
  TimedDevice timed(*find_backend(report.implementation.c_str(), device->where()), options.device);
  const std::shared_ptr<Device>& timed_device = timed.device();
  const DeviceData data = upload(timed_device, dataset, model, config.training, config.seed);
  Profile profile;
  // What a CUDA graph replays does not come by; many steps in one call are no graph.
  report.split_is_replayed = device->where() == Where::cpu || FusedSteps::asked_for(options.device.kernels);
  if (report.split_is_replayed) {
    StepRunner runner(timed_device, model, config, data);
    runner.run(2);
    timed.attach(&profile);
    for (int i = 0; i < options.sampling.repeats; ++i) runner.run(report.replayed.calls_per_sample);
    timed.attach(nullptr);
  } else {
    for (int i = 0; i <= options.sampling.repeats; ++i) {
      StepRunner runner(timed_device, model, config, data);
      if (i > 0) timed.attach(&profile);
      runner.run(1);
      timed.attach(nullptr);
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
