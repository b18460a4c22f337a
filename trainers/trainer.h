// Training a network to tell classes apart: model, optimizer, task and loop put together. Not here: the steps (loop.h),
// the loss (tasks/classify.h), the run's files (run_folder.h), evaluation without training (evaluation.h).
#pragma once

#include <memory>

#include "framework/optim/moving_average.h"
#include "trainers/loop.h"
#include "trainers/run_config.h"
#include "trainers/tasks/classify.h"

namespace cairn {

class FusedSteps;

std::unique_ptr<Optimizer> make_optimizer(const Recipe& recipe, std::vector<NamedTensor> parameters);

class Trainer {
 public:
  // config.training and config.seed rule; the model's parameters are drawn here, in float for f64 too, which starts
  // from the same numbers.
  Trainer(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config, DeviceData data,
          DType real = DType::f32);
  ~Trainer();

  // Where all before the head is frozen and images are not augmented, what the head is given of an image never changes:
  // it is computed here, for every image, and what follows trains the head alone. Returns the seconds that it took;
  // nothing: there was nothing to do. Throws datasets::InterruptedError.
  std::optional<double> compute_features(const std::atomic<bool>& stop);

  using Hooks = Loop::Hooks;
  // As the loop's; puts the model into training mode. After compute_features().
  EpochResult run_epoch(const Hooks& hooks, const std::atomic<bool>& stop);
  double run_steps(int64_t steps);
  // Of the averaged weights, where the recipe keeps an average.
  Evaluation evaluate();

  // Calls it with the averaged weights in the network, where the recipe keeps an average.
  void with_average(const std::function<void()>& use);

  Module& model() { return *model_; }
  Optimizer& optimizer() { return *optimizer_; }
  MovingAverage* average() { return average_.get(); }  // or null
  int64_t steps_per_epoch() const { return loop_.steps_per_epoch(); }
  int64_t total_steps() const { return loop_.total_steps(); }
  int64_t steps_done() const { return loop_.steps_done(); }
  const std::vector<float>& losses() const { return loop_.losses(); }
  // Continues after that many steps, once weights and optimizer state have been copied in.
  void continue_at(int64_t steps, std::vector<float> losses) { loop_.continue_at(steps, std::move(losses)); }

 private:
  Tensor step(const Batch& batch);

  const ModelInfo& info_;
  DeviceData data_;
  Loop loop_;
  bool wants_features_;
  std::shared_ptr<Module> model_;
  std::shared_ptr<Module> trained_;  // the model, or its head where features are in the images' place
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<MovingAverage> average_;
  Classify task_;
  Tensor hits_;                        // one i64 where they are counted
  std::unique_ptr<FusedSteps> fused_;  // or null
};

}  // namespace cairn
