// What a run leaves and shows while it trains: the files of its folder, progress, and the figures of its summary. Not
// here: the steps (trainer.h), which files there are (run_folder.h).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "trainers/progress.h"
#include "trainers/run.h"
#include "trainers/run_folder.h"
#include "trainers/run_parts.h"
#include "trainers/tensorboard.h"

namespace cairn {

class RunLog {
 public:
  // Writes into the folder, which must outlive it. state: of the checkpoint that the run goes on from.
  RunLog(const RunFolder& folder, const RunConfig& config, const RunState& state, const RunOptions& options);

  // The steps that follow are this trainer's, with these settings.
  void begin_part(Trainer& trainer, const RunPart& part);
  // For the epoch that comes next, which is left at the part's end.
  Trainer::Hooks hooks();
  // The epoch that ended. interrupted: the run is to end here, before its last step. goes_on: it ended with the part,
  // and the next part goes on with it.
  void end_epoch(const EpochResult& epoch, bool interrupted, bool goes_on);
  const RunState& state() const { return state_; }
  const RunFolder& folder() const { return folder_; }
  const std::optional<Evaluation>& evaluation() const { return evaluation_; }  // after the epoch that ended last
  nlohmann::json figures() const;

 private:
  // Saving on the way: a disk that is full while training goes on is no reason to throw the training away. It is said
  // once, and again only if a write succeeded in between.
  template <class Save>
  void attempt(const Save& save);
  void save_checkpoint();

  const RunFolder& folder_;
  RunState state_;
  int64_t log_interval_;
  bool quiet_, failing_ = false;
  std::optional<TensorBoardLog> events_;
  Trainer* trainer_ = nullptr;
  RunPart part_;
  int64_t eval_every_ = 1, steps_before_ = 0;
  std::optional<ProgressDisplay> display_;

  std::vector<double> epoch_seconds_;
  double train_seconds_ = 0;
  EpochResult last_;
  std::optional<Evaluation> evaluation_;
};

}  // namespace cairn
