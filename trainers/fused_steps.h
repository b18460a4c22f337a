// Many training steps in one call of the primitive sgd_steps, for networks and settings that it can train. Not here:
// the steps one by one, captured and replayed, which every network has (trainer.h).
#pragma once

#include <string>
#include <vector>

#include "framework/optim/optimizer.h"
#include "models/model.h"
#include "trainers/device_data.h"

namespace cairn {

class FusedSteps {
 public:
  // The most steps of one call: between two of them a run can be stopped.
  static constexpr int64_t kMostSteps = 256;

  // Whether the choice of kernels (DeviceOptions::kernels) names a rung of sgd_steps: that is what asks for this.
  static bool asked_for(const std::string& kernels);

  // What of the trainer's own the steps work on: all of it must live as long.
  struct Parts {
    Module& network;
    const Optimizer& optimizer;
    const StepClock& clock;
    const DeviceData& data;
    const Tensor& order;    // the epoch's permutation
    const Tensor& history;  // a loss for each step of the epoch
  };
  // Throws UsageError in one line that says what stands in the way: a network that is no stack of linear layers with a
  // ReLU between each two, another optimizer than SGD, a full batch, sizes that the kernel has no room for.
  FusedSteps(const ModelInfo& model, const Recipe& recipe, const Parts& parts);
  FusedSteps(const FusedSteps&) = delete;
  FusedSteps& operator=(const FusedSteps&) = delete;

  // Runs the next steps, all of one epoch.
  void run(int64_t steps);

 private:
  std::vector<LinearLayer> layers_;
  SgdStepsArgs args_{};
  std::shared_ptr<Device> device_;
};

}  // namespace cairn
