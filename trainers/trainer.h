// The training loop: one captured step, replayed over epochs of a resident data set; or many in one call, where a rung
// of sgd_steps is asked for (fused_steps.h). Not here: the run's files (run_folder.h), what is printed (progress.h),
// evaluation without training (evaluation.h).
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "framework/optim/optimizer.h"
#include "trainers/device_data.h"
#include "trainers/evaluation.h"
#include "trainers/run_config.h"

namespace cairn {

class FusedSteps;

// The loss stopped being a number.
struct DivergedError : RunError {
  using RunError::RunError;
};

struct EpochResult {
  int64_t epoch = 0;         // 1 for the first
  int64_t steps = 0;         // since the start of training
  double train_loss = 0;     // mean over the images of the epoch
  double learning_rate = 0;  // of its last step
  double train_seconds = 0;  // the steps alone, finished on the device
  double images_per_second = 0;
  bool interrupted = false;  // the epoch was not finished as the settings have it
};

std::unique_ptr<Optimizer> make_optimizer(const Recipe& recipe, std::vector<NamedTensor> parameters);

class Trainer {
 public:
  // config.training and config.seed rule; the model's parameters are drawn here, in float for f64 too, which starts
  // from the same numbers.
  Trainer(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config, DeviceData data,
          DType real = DType::f32);
  ~Trainer();

  // What is called between two steps of an epoch. The host waits for the device and looks at the losses first; the time
  // of all that is not training time.
  struct Hooks {
    int64_t progress_interval = 0;                                  // steps of the epoch; 0: never
    std::function<void(int64_t steps_done, double loss)> progress;  // the epoch's steps so far and the last one's loss
    int64_t save_interval = 0;                                      // steps of the training; 0: never
    std::function<void()> save;
    int64_t last_step = std::numeric_limits<int64_t>::max();  // of the training: the epoch is left there
  };

  // Runs the rest of the current epoch: all of it, what a resumed run has left, or what the run's number of steps
  // or hooks.last_step allows. When `stop` becomes true the step in hand is finished and the epoch left there. Throws
  // DivergedError with the step's number.
  EpochResult run_epoch(const Hooks& hooks, const std::atomic<bool>& stop);
  Evaluation evaluate();

  Module& model() { return *model_; }
  Optimizer& optimizer() { return *optimizer_; }
  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  // Of the whole run, by its epochs or its steps. The last epoch may thus be cut short.
  int64_t total_steps() const { return total_steps_; }
  int64_t steps_done() const { return steps_done_; }
  // Continues after that many steps, with the losses of those among them that belong to an unfinished epoch; weights
  // and optimizer state have been copied in.
  void continue_at(int64_t steps, std::vector<float> losses);
  // Losses of the steps of the epoch that ran last, as far as it went.
  const std::vector<float>& losses() const { return losses_; }

 private:
  void start_epoch(int64_t epoch);
  void run_step(int64_t rows);
  int64_t run_steps(int64_t done, int64_t most);
  void step_calls(int64_t rows);
  void read_losses(int64_t first, int64_t end);
  double mean_loss(int64_t first, int64_t end) const;
  int64_t images(int64_t first, int64_t end) const;

  std::shared_ptr<Device> device_;
  DType real_;
  Recipe recipe_;
  uint64_t seed_;
  DeviceData data_;
  int64_t batch_size_, steps_per_epoch_, partial_rows_, total_steps_;
  std::shared_ptr<Module> model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<StepClock> clock_;
  bool full_batch_;
  Tensor order_;                 // the epoch's permutation
  Tensor index_, batch_labels_;  // the batch that is being trained on
  Tensor history_;               // losses of the epoch's steps
  int64_t steps_done_ = 0;
  std::vector<float> losses_, rates_;

  // The step for whole batches and the one for the epoch's short last batch: run once as they are, then captured.
  struct Step {
    int64_t runs = 0;
    std::unique_ptr<Recording> recording;
  };
  Step whole_, partial_;
  std::unique_ptr<FusedSteps> fused_;  // or null
};

}  // namespace cairn
