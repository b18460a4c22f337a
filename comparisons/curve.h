// One training of a suite, in a run folder of its own: started, continued, or found finished. What a finished one
// amounts to is its result.json, from which every page is made. Not here: which trainings there are (run.h).
#pragma once

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainers/run_config.h"

namespace cairn::comparisons {

// After an epoch that was evaluated.
struct CurvePoint {
  int64_t epoch = 0, steps = 0;
  double seconds = 0;                   // of training steps alone, since the first
  double train_loss = 0, accuracy = 0;  // accuracy: fraction of the test set
  std::optional<double>
      train_accuracy;  // counted while training; none where it was not, as in an epoch resumed halfway
};

// The points of a run folder's metrics. Time and accuracy that an interruption kept out of them are in the folder's
// interruptions.jsonl.
std::vector<CurvePoint> read_points(const std::filesystem::path& folder);

// The result of a training that is finished, or nothing. Throws DataError for a file that is no result.
std::optional<nlohmann::json> finished_result(const std::filesystem::path& folder);

// Trains in config.out, from its checkpoint if it has one. Nothing: it was interrupted, and all is saved. Otherwise
// the result, which is not written yet. Throws as run_training does, and RunError beforehand if the disk has no room.
std::optional<nlohmann::json> train_curve(const RunConfig& config, bool quiet, const std::atomic<bool>& stop);

void write_result(const std::filesystem::path& folder, const nlohmann::json& result);

}  // namespace cairn::comparisons
