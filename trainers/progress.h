// What a run shows while it goes: a bar on a terminal that can redraw, plain lines otherwise; all of it on stderr. Not
// here: results (stdout belongs to the app).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "trainers/trainer.h"

namespace cairn {

class ProgressDisplay {
 public:
  // quiet: shows nothing. total_steps: of the run; its last epoch may have fewer than the others. examples: what they
  // are.
  ProgressDisplay(bool quiet, int64_t total_steps, int64_t steps_per_epoch, const char* examples);

  // Steps between calls of step(): often enough for a live bar or as asked, 0 when nothing is to be shown.
  int64_t interval(int64_t asked) const;
  void step(int64_t epoch, int64_t steps_done, double loss);
  void epoch(const EpochResult& result, const std::optional<Evaluation>& evaluation);

 private:
  void clear_line();
  bool quiet_, terminal_;
  int64_t total_steps_, steps_per_epoch_, epochs_;
  const char* examples_;
  int64_t first_step_ = -1;  // of the run, for the estimate of what is left
  std::chrono::steady_clock::time_point start_;
};

}  // namespace cairn
