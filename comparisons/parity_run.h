// Comparisons with PyTorch for a list of networks, recipes, data sets and implementations. Not here: flags
// (apps/compare.cpp), one comparison (parity.h), the page (parity_report.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comparisons/parity.h"

namespace cairn::comparisons {

struct ParityPlan {
  std::vector<std::string> models;           // empty: all
  std::string recipe;                        // empty: every one that was recorded
  std::vector<std::string> datasets;         // empty: what each network is given without --dataset
  std::vector<std::string> implementations;  // empty: in f32 all that this machine has but `reference`, in f64 that
  std::string data_dir, references;
  bool check_hash = true;
  bool quiet = false;
  ParityOptions options;  // its device's implementation is the plan's
};

// In the order of the plan, `finished` being called after each. Everything that can be wrong with flags and files is
// found before the first training: UsageError, DataError. What compare_with_reference throws. An interruption ends it
// with a result that says so.
std::vector<ParityResult> run_parity(const ParityPlan& plan, const std::function<void(const ParityResult&)>& finished);

}  // namespace cairn::comparisons
