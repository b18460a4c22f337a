// Times what a network computes of a batch, folded and without gradients: replayed, as written, and launch by launch.
// Not here: training steps (step.h), accuracy, reading and scaling photos.
#pragma once

#include <optional>

#include "benchmarks/step.h"
#include "framework/nn/module.h"
#include "models/model.h"

namespace cairn::benchmarks {

// A network with drawn weights before a batch of drawn images.
class InferenceRunner {
 public:
  // Throws UsageError for a network of texts, and a batch that is no number of images.
  InferenceRunner(const std::shared_ptr<Device>& device, const ModelInfo& model, int64_t batch_size);
  // Seconds a batch.
  double run_as_written(int64_t batches);
  double run(int64_t batches);  // replayed
  void forward();

 private:
  std::shared_ptr<Device> device_;
  std::shared_ptr<Module> network_;
  Tensor images_, logits_;
  std::optional<Recording> recording_;
};

// In the form of a step's report. Of the options, recipe, dataset and data_dir do not count; batch_size -1 is 1.
StepReport run_inference(const StepOptions& options);

}  // namespace cairn::benchmarks
