// A suite run from its first training to its pages: one training for each network, data set and implementation, those
// that are finished left alone, those that were interrupted continued. Not here: flags (apps/compare.cpp), one
// training (curve.h), what the pages say (report.h).
#pragma once

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "comparisons/suites.h"
#include "trainers/run_config.h"

namespace cairn::comparisons {

struct SuiteOptions {
  std::vector<std::string> implementations;  // empty: every one that this machine has, apart from `reference`
  std::vector<std::string> datasets;         // empty: the suite's
  std::vector<std::string> models;           // of the suite's networks; empty: all
  std::string recipe;                        // of these networks; empty: every one that the suite has
  std::string data_dir;
  bool check_hash = true;
  std::string where = "auto";
  int threads = 0;
  uint64_t seed = 1;
  bool quick = false;  // few epochs on few examples: that everything works, not how well
  bool quiet = false;
  std::string out;  // folder; "" = runs/compare-<suite>, with -quick appended
  std::filesystem::path predict_program;
  const std::atomic<bool>* stop = nullptr;
};

struct SuiteResult {
  bool interrupted = false;
  int64_t finished = 0, planned = 0;    // trainings of this call, those included that had been finished before
  std::filesystem::path folder;         // of report.html, report.md, plots/ and curves/
  std::vector<nlohmann::json> results;  // every finished training of the folder
};

// Every implementation that this machine has, apart from `reference`, which takes hours for what others do in minutes.
std::vector<std::string> implementations_here();

// Makes a suite's folder, or finds that it is of the same settings: figures of others do not go into one table. Throws
// IoError, UsageError.
void open_suite_folder(const std::filesystem::path& folder, const nlohmann::json& settings);

// The trainings of a call in their order, implementation by implementation, so that the first tables are whole soon.
// Throws what is wrong with the options: UsageError, DeviceError, DataError.
std::vector<RunConfig> plan_suite(const Suite& suite, const SuiteOptions& options);

// What train_curve throws; UsageError if the folder holds the suite with other settings. After an error the same call
// continues.
SuiteResult run_suite(const Suite& suite, const SuiteOptions& options);

}  // namespace cairn::comparisons
