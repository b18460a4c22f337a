#include "trainers/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "datasets/order.h"
#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/ops/loss.h"
#include "framework/random.h"
#include "trainers/fused_steps.h"

namespace cairn {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kEvaluationRows = 2000;  // bounds the memory of an evaluation's activations

// The same network with its weights widened.
std::shared_ptr<Module> in_double(const ModelInfo& model, Module& narrow, const std::shared_ptr<Device>& device,
                                  Initializer initializer) {
  std::shared_ptr<Module> wide = model.build(device, initializer, DType::f64);
  const std::vector<NamedTensor> from = narrow.parameters(), to = wide->parameters();
  for (size_t i = 0; i < to.size(); ++i) {
    const std::vector<float> values = from[i].tensor.to_host<float>();
    Tensor(to[i].tensor).set(std::span<const double>(std::vector<double>(values.begin(), values.end())));
  }
  return wide;
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const Recipe& recipe, std::vector<NamedTensor> parameters) {
  if (recipe.optimizer == OptimizerKind::sgd)
    return std::make_unique<Sgd>(std::move(parameters), recipe.momentum, recipe.weight_decay);
  Adam::Options options;
  options.weight_decay = recipe.weight_decay;
  options.decoupled = recipe.optimizer == OptimizerKind::adamw;
  return std::make_unique<Adam>(std::move(parameters), options);
}

Trainer::Trainer(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config,
                 DeviceData data, DType real)
    : device_(device), real_(real), recipe_(config.training), seed_(config.seed), data_(std::move(data)) {
  const int64_t count = data_.train.count;
  if (recipe_.batch_size > count)
    throw UsageError("--batch-size " + std::to_string(recipe_.batch_size) + " is more than the " +
                     std::to_string(count) + " training images; 0 takes them all");
  full_batch_ = recipe_.batch_size == 0;
  batch_size_ = datasets::whole_batch_size(count, recipe_.batch_size);
  steps_per_epoch_ = datasets::steps_per_epoch(count, recipe_.batch_size, recipe_.drop_last);
  partial_rows_ = datasets::partial_batch_size(count, recipe_.batch_size, recipe_.drop_last);
  total_steps_ = recipe_.epochs > 0 ? recipe_.epochs * steps_per_epoch_ : recipe_.steps;
  if (recipe_.steps > 0) total_steps_ = std::min(total_steps_, recipe_.steps);
  if (recipe_.schedule.total_steps == 0) recipe_.schedule.total_steps = total_steps_;

  Initializer initializer(recipe_.init, seed_);
  model_ = model.build(device_, initializer, DType::f32);
  if (real_ == DType::f64) model_ = in_double(model, *model_, device_, Initializer(recipe_.init, seed_));
  optimizer_ = make_optimizer(recipe_, model_->parameters());
  clock_ = std::make_unique<StepClock>(device_, steps_per_epoch_);
  model_->set_dropout_source({seed_, clock_->step()});

  history_ = Tensor::zeros(device_, {steps_per_epoch_});
  batch_labels_ = data_.train.labels;  // of a full batch: always the same rows
  if (!full_batch_) {
    batch_labels_ = Tensor::empty(device, {batch_size_}, DType::i32, "labels");
    index_ = Tensor::empty(device_, {batch_size_}, DType::i32, "a batch");
    order_ = Tensor::empty(device_, {count}, DType::i32, "the epoch's order");
  }
  if (FusedSteps::asked_for(config.device.kernels))
    fused_ = std::make_unique<FusedSteps>(model, recipe_,
                                          FusedSteps::Parts{*model_, *optimizer_, *clock_, data_, order_, history_});
}

Trainer::~Trainer() = default;

void Trainer::continue_at(int64_t steps, std::vector<float> losses) {
  steps_done_ = steps;
  clock_->set_step(steps);
  losses_ = std::move(losses);
}

void Trainer::start_epoch(int64_t epoch) {
  if (!full_batch_)
    order_.set(std::span<const int32_t>(
        datasets::epoch_order(data_.train.count, seed_, static_cast<uint32_t>(epoch), recipe_.shuffle)));
  rates_.resize(static_cast<size_t>(steps_per_epoch_));
  for (int64_t i = 0; i < steps_per_epoch_; ++i)
    rates_[static_cast<size_t>(i)] =
        static_cast<float>(learning_rate_at(recipe_.schedule, recipe_.learning_rate, epoch * steps_per_epoch_ + i));
  clock_->set_rates(rates_);
  losses_.resize(static_cast<size_t>(steps_done_ - epoch * steps_per_epoch_));
}

// Forward, backward and update of one batch, as calls that can be captured: nothing here depends on values.
void Trainer::step_calls(int64_t rows) {
  Tensor labels = batch_labels_;
  Tensor index;
  if (!full_batch_) {
    labels = batch_labels_.rows(0, rows);
    index = index_.rows(0, rows);
    device_->call(&Backend::select_rows, SelectRowsArgs{.order = order_.data<int32_t>(),
                                                        .step = clock_->step().data<int64_t>(),
                                                        .steps_per_epoch = steps_per_epoch_,
                                                        .batch_size = batch_size_,
                                                        .rows = rows,
                                                        .index = index.data<int32_t>()});
    device_->call(&Backend::gather_rows, GatherRowsArgs{.from = DType::i32,
                                                        .to = DType::i32,
                                                        .rows = rows,
                                                        .channels = 1,
                                                        .plane = 1,
                                                        .x = data_.train.labels.data(),
                                                        .index = index.data<int32_t>(),
                                                        .scale = nullptr,
                                                        .shift = nullptr,
                                                        .out = labels.data()});
  }
  const Tensor x = Tensor::byte_rows(data_.train.images, index, data_.pixels, real_);
  const Tensor loss = cross_entropy(model_->forward(x), labels);
  optimizer_->clear_grads();
  backward(loss);
  optimizer_->step(*clock_);
  device_->call(&Backend::finish_step, FinishStepArgs{.dtype = loss.dtype(),
                                                      .value = loss.data(),
                                                      .history = history_.data<float>(),
                                                      .capacity = steps_per_epoch_,
                                                      .step = clock_->step().data<int64_t>()});
}

// The first run allocates and tunes, the second captures, and from then on the capture is replayed.
void Trainer::run_step(int64_t rows) {
  Step& step = rows == batch_size_ ? whole_ : partial_;
  if (step.runs == 0) {
    step_calls(rows);
  } else {
    if (!step.recording) step.recording = std::make_unique<Recording>(*device_, [&] { step_calls(rows); });
    step.recording->replay();
  }
  ++step.runs;
  ++steps_done_;
}

// Runs at most `most` of the epoch's steps, of which `done` are done, and returns how many: one, where each is a call
// or a replay of its own.
int64_t Trainer::run_steps(int64_t done, int64_t most) {
  if (!fused_) {
    run_step(done + 1 == steps_per_epoch_ && partial_rows_ > 0 ? partial_rows_ : batch_size_);
    return 1;
  }
  const int64_t steps = std::min(most, FusedSteps::kMostSteps);
  fused_->run(steps);
  steps_done_ += steps;
  return steps;
}

// Fetches the losses of steps first .. end - 1 of this epoch and looks for one that is no number.
void Trainer::read_losses(int64_t first, int64_t end) {
  if (first == end) return;
  const std::vector<float> fresh = history_.rows(first, end).to_host<float>();
  losses_.insert(losses_.end(), fresh.begin(), fresh.end());
  const auto bad = std::find_if(fresh.begin(), fresh.end(), [](float loss) { return !std::isfinite(loss); });
  if (bad == fresh.end()) return;
  throw DivergedError("the loss became " + std::string(std::isnan(*bad) ? "nan" : "infinite") + " at step " +
                      std::to_string(steps_done_ - end + first + (bad - fresh.begin()) + 1) +
                      ": training diverged; try a smaller --lr");
}

// Images in steps first .. end - 1 of an epoch.
int64_t Trainer::images(int64_t first, int64_t end) const {
  return std::min(end * batch_size_, data_.train.count) - first * batch_size_;
}

double Trainer::mean_loss(int64_t first, int64_t end) const {
  double sum = 0;
  for (int64_t i = first; i < end; ++i) sum += static_cast<double>(images(i, i + 1)) * losses_[static_cast<size_t>(i)];
  return end > first ? sum / static_cast<double>(images(first, end)) : 0;
}

EpochResult Trainer::run_epoch(const Hooks& hooks, const std::atomic<bool>& stop) {
  const int64_t epoch = steps_done_ / steps_per_epoch_, first = steps_done_ % steps_per_epoch_;
  // Beyond the run's end whole epochs go on: a benchmark may want more steps than a training.
  const int64_t left = std::min(total_steps_, hooks.last_step) - epoch * steps_per_epoch_;
  const int64_t end = left > first ? std::min(left, steps_per_epoch_) : steps_per_epoch_;
  model_->train();
  start_epoch(epoch);
  device_->synchronize();
  const auto begin = Clock::now();
  double paused_seconds = 0;

  const auto due = [](int64_t interval, int64_t steps) { return interval > 0 && steps % interval == 0; };
  const auto left_until_due = [](int64_t interval, int64_t steps, int64_t otherwise) {
    return interval > 0 ? interval - steps % interval : otherwise;
  };
  int64_t done = first;
  while (done < end && !stop) {
    done += run_steps(done, std::min({end - done, left_until_due(hooks.progress_interval, done - first, end),
                                      left_until_due(hooks.save_interval, steps_done_, end)}));
    const bool last = done == end;
    const bool show = due(hooks.progress_interval, done - first), save = due(hooks.save_interval, steps_done_);
    if (last || !(show || save)) continue;
    device_->synchronize();
    const auto pause = Clock::now();
    read_losses(static_cast<int64_t>(losses_.size()), done);
    if (show) hooks.progress(done, losses_.back());
    if (save) hooks.save();
    paused_seconds += std::chrono::duration<double>(Clock::now() - pause).count();
  }
  device_->synchronize();

  EpochResult result;
  result.train_seconds = std::chrono::duration<double>(Clock::now() - begin).count() - paused_seconds;
  read_losses(static_cast<int64_t>(losses_.size()), done);
  result.epoch = epoch + 1;
  result.steps = steps_done_;
  result.train_loss = mean_loss(0, done);
  result.learning_rate = done > first ? rates_[static_cast<size_t>(done - 1)] : 0;
  result.images_per_second = static_cast<double>(images(first, done)) / std::max(result.train_seconds, 1e-9);
  result.interrupted = done < end;
  return result;
}

Evaluation Trainer::evaluate() {
  MetricSums sums(data_.test);
  visit_batches(*model_, data_.test, data_.pixels, kEvaluationRows,
                [&](const Tensor& logits, int64_t begin, int64_t end) { sums.add(logits, begin, end); });
  return sums.result();
}

}  // namespace cairn
