#include "trainers/run_log.h"

#include <algorithm>

#include "framework/error.h"
#include "framework/message.h"
#include "trainers/median.h"

namespace cairn {
namespace {

nlohmann::json metrics_line(const EpochResult& epoch, const std::optional<Evaluation>& evaluation) {
  nlohmann::json line = {{"epoch", epoch.epoch},
                         {"steps", epoch.steps},
                         {"train_loss", epoch.train_loss},
                         {"lr", epoch.learning_rate},
                         {"train_seconds", epoch.train_seconds},
                         {"images_per_second", epoch.images_per_second}};
  if (epoch.train_accuracy) line["train_accuracy"] = *epoch.train_accuracy;
  if (evaluation) line.update({{"test_loss", evaluation->loss}, {"test_accuracy", evaluation->accuracy}});
  if (evaluation && evaluation->top5) line["test_top5_accuracy"] = *evaluation->top5;
  return line;
}

}  // namespace

RunLog::RunLog(const RunFolder& folder, const RunConfig& config, const RunState& state, const RunOptions& options)
    : folder_(folder), state_(state), log_interval_(options.log_interval), quiet_(options.quiet) {
  if (config.tensorboard) events_.emplace(folder.path());
}

void RunLog::begin_part(Trainer& trainer, const RunPart& part) {
  trainer_ = &trainer;
  part_ = part;
  const int64_t epochs = (trainer.total_steps() + trainer.steps_per_epoch() - 1) / trainer.steps_per_epoch();
  eval_every_ = part.config.eval_every > 0 ? part.config.eval_every : std::max<int64_t>(1, epochs / 20);
  display_.emplace(quiet_, trainer.total_steps(), trainer.steps_per_epoch(),
                   examples_of(find_model(part.config.model)));
}

template <class Save>
void RunLog::attempt(const Save& save) {
  try {
    save();
    failing_ = false;
  } catch (const IoError& error) {
    if (!failing_) say(std::string("train: ") + error.what() + "; training goes on");
    failing_ = true;
  }
}

void RunLog::save_checkpoint() {
  attempt([&] { folder_.save_checkpoint(*trainer_, state_); });
}

Trainer::Hooks RunLog::hooks() {
  steps_before_ = trainer_->steps_done();
  const int64_t epoch = steps_before_ / trainer_->steps_per_epoch() + 1;
  Trainer::Hooks hooks;
  hooks.progress_interval = display_->interval(log_interval_);
  hooks.progress = [this, epoch](int64_t done, double loss) { display_->step(epoch, done, loss); };
  hooks.save_interval = part_.config.save_steps;
  hooks.save = [this] { save_checkpoint(); };
  hooks.last_step = part_.end;
  return hooks;
}

void RunLog::end_epoch(const EpochResult& epoch, bool interrupted, bool goes_on) {
  last_ = epoch;
  train_seconds_ += epoch.train_seconds;
  const bool told = !epoch.interrupted && !goes_on;
  if (told)  // of a whole epoch, also where only a part of it was run
    epoch_seconds_.push_back(epoch.train_seconds * static_cast<double>(trainer_->steps_per_epoch()) /
                             static_cast<double>(epoch.steps - steps_before_));
  const bool end = epoch.steps >= trainer_->total_steps();
  const auto due = [&](int64_t every) { return told && !interrupted && every > 0 && epoch.epoch % every == 0; };
  evaluation_.reset();
  if (end || due(eval_every_)) evaluation_ = trainer_->evaluate();
  display_->epoch(epoch, evaluation_);
  if (told) attempt([&] { folder_.append_metrics(metrics_line(epoch, evaluation_)); });
  if (events_ && !goes_on) attempt([&] { events_->append(epoch, trainer_->losses(), evaluation_, trainer_->model()); });
  if (evaluation_ && evaluation_->accuracy > state_.best_accuracy) {
    state_.best_accuracy = evaluation_->accuracy;
    attempt([&] { folder_.save_best(*trainer_, epoch.epoch, evaluation_->accuracy); });
  }
  if (interrupted || end || due(part_.config.save_every)) save_checkpoint();
}

nlohmann::json RunLog::figures() const {
  return {{"train_loss", last_.steps > 0 ? nlohmann::json(last_.train_loss) : nlohmann::json()},
          {"train_seconds", train_seconds_},
          {"seconds_per_epoch", median(epoch_seconds_)},
          {"images_per_second", last_.images_per_second}};
}

}  // namespace cairn
