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
  // Run folder to continue, or "". Its config.json is the record of what the run is; where the settings asked for are
  // others the record is changed, from the checkpoint's step on. With an `out` of its own the run goes on there, and
  // the folder stays as it is. A finished run is said to be that, and none of its files is written again.
  std::string resume;
  bool dataset_asked = false;  // the data set was asked for by name: also where it is not the one in the record
  const std::atomic<bool>* stop = nullptr;  // set: finish the step, save, return
};

struct RunResult {
  nlohmann::json summary;  // the object that --json prints
  bool interrupted = false;
};

// Throws what its parts throw: UsageError, DataError, IoError, DeviceError; DivergedError; RunError when the results
// cannot be saved. A checkpoint that cannot be written on the way is one line on stderr, and training goes on.
RunResult run_training(RunConfig config, const RunOptions& options);

}  // namespace cairn
