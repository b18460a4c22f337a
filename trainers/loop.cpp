#include "trainers/loop.h"

#include <algorithm>
#include <cmath>

#include "datasets/order.h"
#include "framework/device.h"
#include "trainers/stopwatch.h"

namespace cairn {
namespace {

int64_t checked_batch_size(int64_t count, int64_t batch_size) {
  if (batch_size > count)
    throw UsageError("--batch-size " + std::to_string(batch_size) + " is more than the " + std::to_string(count) +
                     " training examples; 0 takes them all");
  return datasets::whole_batch_size(count, batch_size);
}

int64_t steps_of_run(const Recipe& recipe, int64_t steps_per_epoch) {
  const int64_t by_epochs = recipe.epochs > 0 ? recipe.epochs * steps_per_epoch : recipe.steps;
  return recipe.steps > 0 ? std::min(by_epochs, recipe.steps) : by_epochs;
}

}  // namespace

Loop::Loop(const std::shared_ptr<Device>& device, int64_t count, const Recipe& recipe, uint64_t seed)
    : device_(device),
      recipe_(recipe),
      seed_(seed),
      count_(count),
      batch_size_(checked_batch_size(count, recipe.batch_size)),
      steps_per_epoch_(datasets::steps_per_epoch(count, recipe.batch_size, recipe.drop_last)),
      partial_rows_(datasets::partial_batch_size(count, recipe.batch_size, recipe.drop_last)),
      total_steps_(steps_of_run(recipe, steps_per_epoch_)),
      full_batch_(recipe.batch_size == 0),
      clock_(device, steps_per_epoch_),
      history_(Tensor::zeros(device, {steps_per_epoch_})) {
  if (recipe_.schedule.total_steps == 0) recipe_.schedule.total_steps = total_steps_;
  if (full_batch_) return;
  index_ = Tensor::empty(device_, {batch_size_}, DType::i32, "a batch");
  order_ = Tensor::empty(device_, {count}, DType::i32, "the epoch's order");
}

void Loop::set_launch(std::function<void(int64_t)> launch, int64_t most) {
  launch_ = std::move(launch);
  most_ = most;
}

void Loop::continue_at(int64_t steps, std::vector<float> losses) {
  steps_done_ = steps;
  clock_.set_step(steps);
  losses_ = std::move(losses);
}

// What an epoch's steps read: its order and its learning rates.
void Loop::start_epoch(int64_t epoch) {
  if (!full_batch_) {
    const std::vector<int32_t> order =
        datasets::epoch_order(count_, seed_, static_cast<uint32_t>(epoch), recipe_.shuffle);
    order_.set(std::span<const int32_t>(order));
    if (feed_) feed_->begin_epoch(order, (steps_done_ - epoch * steps_per_epoch_) * batch_size_);
  }
  rates_.resize(static_cast<size_t>(steps_per_epoch_));
  for (int64_t i = 0; i < steps_per_epoch_; ++i)
    rates_[static_cast<size_t>(i)] =
        static_cast<float>(learning_rate_at(recipe_.schedule, recipe_.learning_rate, epoch * steps_per_epoch_ + i));
  clock_.set_rates(rates_);
  losses_.resize(static_cast<size_t>(steps_done_ - epoch * steps_per_epoch_));
}

// One step as calls that can be captured: which rows, what is made of them, the loss noted and the clock moved on.
void Loop::step_calls(int64_t rows) {
  Batch batch{rows, {}};
  if (!full_batch_) {
    batch.index = index_.rows(0, rows);
    device_->call(&Backend::select_rows, SelectRowsArgs{.order = order_.data<int32_t>(),
                                                        .step = clock_.step().data<int64_t>(),
                                                        .steps_per_epoch = steps_per_epoch_,
                                                        .batch_size = batch_size_,
                                                        .rows = rows,
                                                        .index = batch.index.data<int32_t>()});
  }
  const Tensor loss = step_(batch);
  device_->call(&Backend::finish_step, FinishStepArgs{.dtype = loss.dtype(),
                                                      .value = loss.data(),
                                                      .history = history_.data<float>(),
                                                      .capacity = steps_per_epoch_,
                                                      .step = clock_.step().data<int64_t>()});
}

// The first run allocates and tunes, the second captures, and from then on the capture is replayed.
void Loop::run_step(int64_t rows) {
  if (feed_) feed_->next(rows);
  Captured& step = rows == batch_size_ ? whole_ : partial_;
  if (step.runs == 0) {
    step_calls(rows);
  } else {
    if (!step.recording) step.recording = std::make_unique<Recording>(*device_, [&] { step_calls(rows); });
    step.recording->replay();
  }
  ++step.runs;
}

// Runs at most `most` of the epoch's steps, of which `done` are done, and returns how many: one, where each is a call
// or a replay of its own.
int64_t Loop::advance(int64_t done, int64_t most) {
  const int64_t steps = std::min(most, most_);
  if (launch_)
    launch_(steps);
  else
    run_step(done + 1 == steps_per_epoch_ && partial_rows_ > 0 ? partial_rows_ : batch_size_);
  steps_done_ += steps;
  return steps;
}

// Fetches the losses of steps first .. end - 1 of this epoch and looks for one that is no number.
void Loop::read_losses(int64_t first, int64_t end) {
  if (first == end) return;
  const std::vector<float> fresh = history_.rows(first, end).to_host<float>();
  losses_.insert(losses_.end(), fresh.begin(), fresh.end());
  const auto bad = std::find_if(fresh.begin(), fresh.end(), [](float loss) { return !std::isfinite(loss); });
  if (bad == fresh.end()) return;
  throw DivergedError("the loss became " + std::string(std::isnan(*bad) ? "nan" : "infinite") + " at step " +
                      std::to_string(steps_done_ - end + first + (bad - fresh.begin()) + 1) +
                      ": training diverged; try a smaller --lr");
}

// Rows in steps first .. end - 1 of an epoch.
int64_t Loop::rows_of(int64_t first, int64_t end) const {
  return std::min(end * batch_size_, count_) - first * batch_size_;
}

double Loop::mean_loss(int64_t first, int64_t end) const {
  double sum = 0;
  for (int64_t i = first; i < end; ++i) sum += static_cast<double>(rows_of(i, i + 1)) * losses_[static_cast<size_t>(i)];
  return end > first ? sum / static_cast<double>(rows_of(first, end)) : 0;
}

void Loop::pause(const Hooks& hooks, int64_t done, bool show, bool save) {
  read_losses(static_cast<int64_t>(losses_.size()), done);
  if (show) hooks.progress(done, losses_.back());
  if (save) hooks.save();
}

// Runs the current epoch's steps up to number `end` of it.
EpochResult Loop::run_to(int64_t end, const Hooks& hooks, const std::atomic<bool>& stop) {
  const int64_t epoch = steps_done_ / steps_per_epoch_, first = steps_done_ % steps_per_epoch_;
  start_epoch(epoch);
  device_->synchronize();
  const Stopwatch watch;
  double paused_seconds = 0;
  const auto due = [](int64_t interval, int64_t steps) { return interval > 0 && steps % interval == 0; };
  const auto left_until_due = [](int64_t interval, int64_t steps, int64_t otherwise) {
    return interval > 0 ? interval - steps % interval : otherwise;
  };
  int64_t done = first;
  while (done < end && !stop) {
    done += advance(done, std::min({end - done, left_until_due(hooks.progress_interval, done - first, end),
                                    left_until_due(hooks.save_interval, steps_done_, end)}));
    const bool show = due(hooks.progress_interval, done - first), save = due(hooks.save_interval, steps_done_);
    if (done == end || !(show || save)) continue;
    device_->synchronize();
    const Stopwatch paused;
    pause(hooks, done, show, save);
    paused_seconds += paused.seconds();
  }
  device_->synchronize();

  EpochResult result;
  result.train_seconds = watch.seconds() - paused_seconds;
  read_losses(static_cast<int64_t>(losses_.size()), done);
  result.epoch = epoch + 1;
  result.steps = steps_done_;
  result.train_loss = mean_loss(0, done);
  result.learning_rate = done > first ? rates_[static_cast<size_t>(done - 1)] : 0;
  result.rows = rows_of(first, done);
  result.images_per_second = static_cast<double>(result.rows) / std::max(result.train_seconds, 1e-9);
  result.interrupted = done < end;
  return result;
}

EpochResult Loop::run_epoch(const Hooks& hooks, const std::atomic<bool>& stop) {
  const int64_t first = steps_done_ % steps_per_epoch_;
  // Beyond the run's end whole epochs go on: what comes after is not this class's to know.
  const int64_t left = std::min(total_steps_, hooks.last_step) - (steps_done_ - first);
  return run_to(left > first ? std::min(left, steps_per_epoch_) : steps_per_epoch_, hooks, stop);
}

double Loop::run_steps(int64_t steps) {
  static const std::atomic<bool> never{false};
  double seconds = 0;
  for (const int64_t goal = steps_done_ + steps; steps_done_ < goal;) {
    const int64_t first = steps_done_ % steps_per_epoch_;
    seconds += run_to(std::min(first + goal - steps_done_, steps_per_epoch_), {}, never).train_seconds;
  }
  return seconds;
}

}  // namespace cairn
