// One run from its settings to its results: device, data, training, files. Not here: flags and exit codes
// (apps/train.cpp), the loop over steps (trainer.h).
#pragma once

#include <atomic>
#include <nlohmann/json.hpp>

#include "trainers/run_config.h"

namespace cairn {

struct RunOptions {
  bool quiet = false;
  bool dry_run = false;      // everything up to the first step, and no files
  int64_t log_interval = 0;  // steps between progress lines; 0: a live bar on a terminal, else only epochs
  int64_t save_every = 1;    // epochs between checkpoints; 0: only at the end
  std::string resume;        // run folder to continue, or ""
  const std::atomic<bool>* stop = nullptr;  // set: finish the step, save, return
};

struct RunResult {
  nlohmann::json summary;  // the object that --json prints
  bool interrupted = false;
};

// Throws what its parts throw: UsageError, DataError, IoError, DeviceError, DivergedError.
RunResult run_training(RunConfig config, const RunOptions& options);

}  // namespace cairn
