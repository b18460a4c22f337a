#include "benchmarks/inference.h"

#include "benchmarks/step_runner.h"
#include "benchmarks/timed_backend.h"
#include "framework/autograd.h"
#include "framework/error.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {
namespace {

constexpr uint64_t kSeed = 1;
const InitRule kHeWeights{WeightInit::he_normal, BiasInit::constant};

}  // namespace

InferenceRunner::InferenceRunner(const std::shared_ptr<Device>& device, const ModelInfo& model, int64_t batch_size)
    : device_(device) {
  if (takes_texts(model)) throw UsageError("inference is timed of networks of images; " + model.name + " takes texts");
  if (batch_size < 1) throw UsageError("--batch-size must be 1 or more for inference");
  Initializer initializer(kHeWeights, kSeed);
  network_ = model.build(device, initializer, DType::f32);
  network_->fold();
  const Shape& image = model.input;
  images_ = Tensor::empty(device, {batch_size, image[0], image[1], image[2]}, DType::f32, "images");
  device->call(&Backend::normal, RandomArgs{.dtype = DType::f32,
                                            .count = images_.count(),
                                            .out = images_.data(),
                                            .low = 0,
                                            .high = 1,
                                            .seed = kSeed,
                                            .stream = 0});
}

void InferenceRunner::forward() {
  const NoGrad no_grad;
  logits_ = network_->forward(images_);
}

double InferenceRunner::run_as_written(int64_t batches) {
  const auto begin = Clock::now();
  for (int64_t i = 0; i < batches; ++i) forward();
  device_->synchronize();
  return seconds_since(begin) / static_cast<double>(batches);
}

double InferenceRunner::run(int64_t batches) {
  if (!recording_) {
    forward();
    recording_.emplace(*device_, [this] { forward(); });
  }
  const auto begin = Clock::now();
  for (int64_t i = 0; i < batches; ++i) recording_->replay();
  device_->synchronize();
  return seconds_since(begin) / static_cast<double>(batches);
}

StepReport run_inference(const StepOptions& options) {
  const ModelInfo& model = find_model(options.model);
  const int64_t batch = options.batch_size < 0 ? 1 : options.batch_size;
  check_sampling(options.sampling);
  const std::shared_ptr<Device> device = Device::open(options.device);
  StepReport report = report_on(*device, options);
  report.inference = true;
  report.dataset = "drawn images";
  report.batch_size = batch;
  size_t working_set = 0;
  {
    const size_t before = device->memory().live;
    InferenceRunner runner(device, model, batch);
    std::vector<double> first;
    for (int i = 0; i <= options.sampling.repeats; ++i) first.push_back(runner.run_as_written(1));
    report.as_written = summary({first.begin() + 1, first.end()}, 1);
    report.replayed = time_replayed([&](int64_t batches) { return runner.run(batches); }, options.sampling);
    working_set = device->memory().live - before;
  }
  TimedDevice timed(*find_backend(report.implementation.c_str(), device->where()), options.device);
  InferenceRunner runner(timed.device(), model, batch);
  Profile profile;
  runner.run_as_written(1);
  timed.attach(&profile);
  for (int i = 0; i < options.sampling.repeats; ++i) {
    runner.forward();
    profile.end_steps(1);
  }
  timed.attach(nullptr);
  report.split_is_replayed = device->where() == Where::cpu;
  complete(report, profile, *device, options, working_set);
  return report;
}

}  // namespace cairn::benchmarks
