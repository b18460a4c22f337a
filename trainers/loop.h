// The loop over optimizer steps: the step clock, the epoch's order, a step that is captured once and then replayed, the
// losses. It knows no network, no loss and no label: a step is a function that it is given. Not here: what a step
// computes (tasks/), the run around it (run.h), what is printed (progress.h).
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "framework/error.h"
#include "framework/optim/optimizer.h"
#include "models/model.h"
#include "trainers/feed.h"

namespace cairn {

// The loss stopped being a number.
struct DivergedError : RunError {
  using RunError::RunError;
};

struct EpochResult {
  int64_t epoch = 0;      // 1 for the first
  int64_t steps = 0;      // since the start of training
  double train_loss = 0;  // mean over the rows of the epoch
  int64_t rows = 0;       // that were trained on here: all of the epoch's, unless it was begun or ended elsewhere
  std::optional<double> train_accuracy;  // of those rows, where they are counted and are the epoch's from its first
  double learning_rate = 0;              // of its last step
  double train_seconds = 0;              // the steps alone, finished on the device
  double images_per_second = 0;
  bool interrupted = false;  // the epoch was not finished as the settings have it
};

// The rows of the training split that a step takes.
struct Batch {
  int64_t rows = 0;
  Tensor index;  // rows i32, which ones; not defined where a step takes all rows in their stored order
};

class Loop {
 public:
  // What is called between two steps of an epoch. The host waits for the device and looks at the losses first; the time
  // of all that is not training time.
  struct Hooks {
    int64_t progress_interval = 0;                                  // steps of the epoch; 0: never
    std::function<void(int64_t steps_done, double loss)> progress;  // the epoch's steps so far and the last one's loss
    int64_t save_interval = 0;                                      // steps of the training; 0: never
    std::function<void()> save;
    int64_t last_step = std::numeric_limits<int64_t>::max();  // of the training: the epoch is left there
  };

  // Forward, backward and update of one batch, as calls that can be captured: nothing in it depends on values. Returns
  // the batch's loss, a scalar.
  using Step = std::function<Tensor(const Batch&)>;

  // count: rows of the training split. recipe: batch size, order, length and learning rates. Throws UsageError for a
  // batch size that does not suit the count.
  Loop(const std::shared_ptr<Device>& device, int64_t count, const Recipe& recipe, uint64_t seed);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void set_step(Step step) { step_ = std::move(step); }
  // Which brings each batch ahead of its step; it must live as long.
  void set_feed(Feed& feed) { feed_ = &feed; }
  // In place of a step: a call that runs as many of an epoch's steps as it is told, at most `most`.
  void set_launch(std::function<void(int64_t steps)> launch, int64_t most);

  // Runs the rest of the current epoch: all of it, what a resumed run has left, or what the run's number of steps
  // or hooks.last_step allows. When `stop` becomes true the step in hand is finished and the epoch left there. Throws
  // DivergedError with the step's number.
  EpochResult run_epoch(const Hooks& hooks, const std::atomic<bool>& stop);
  // Runs exactly that many steps, in the epoch or over its end, and returns the seconds they took.
  double run_steps(int64_t steps);

  const StepClock& clock() const { return clock_; }
  const Tensor& order() const { return order_; }      // the epoch's permutation; not defined for a full batch
  const Tensor& history() const { return history_; }  // a loss for each step of the epoch
  int64_t batch_size() const { return batch_size_; }
  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  // Of the whole run, by its epochs or its steps. The last epoch may thus be cut short.
  int64_t total_steps() const { return total_steps_; }
  int64_t steps_done() const { return steps_done_; }
  // Losses of the steps of the epoch that ran last, as far as it went.
  const std::vector<float>& losses() const { return losses_; }
  // Continues after that many steps, with the losses of those among them that belong to an unfinished epoch.
  void continue_at(int64_t steps, std::vector<float> losses);

 private:
  void start_epoch(int64_t epoch);
  EpochResult run_to(int64_t end, const Hooks& hooks, const std::atomic<bool>& stop);
  int64_t advance(int64_t done, int64_t most);
  void run_step(int64_t rows);
  void step_calls(int64_t rows);
  void pause(const Hooks& hooks, int64_t done, bool show, bool save);
  void read_losses(int64_t first, int64_t end);
  double mean_loss(int64_t first, int64_t end) const;
  int64_t rows_of(int64_t first, int64_t end) const;

  std::shared_ptr<Device> device_;
  Recipe recipe_;
  uint64_t seed_;
  int64_t count_, batch_size_, steps_per_epoch_, partial_rows_, total_steps_;
  bool full_batch_;
  StepClock clock_;
  Tensor order_, index_, history_;
  Step step_;
  std::function<void(int64_t)> launch_;
  int64_t most_ = 1;
  Feed* feed_ = nullptr;
  int64_t steps_done_ = 0;
  std::vector<float> losses_, rates_;

  // The step for whole batches and the one for the epoch's short last batch: run once as they are, then captured.
  struct Captured {
    int64_t runs = 0;
    std::unique_ptr<Recording> recording;
  };
  Captured whole_, partial_;
};

}  // namespace cairn
