// A suite's pages out of its finished trainings: the tables of time and accuracy beside the published figures, the
// plots. Not here: where the figures come from (curve.h), how a page is written (page.h).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "benchmarks/table.h"
#include "comparisons/plot.h"
#include "comparisons/suites.h"

namespace cairn::comparisons {

// results: what the trainings' result.json hold, in the order of the tables.
struct SuiteTables {
  std::string dataset;
  benchmarks::Table seconds, accuracy;
};
std::vector<SuiteTables> suite_tables(const Suite& suite, bool quick, const std::vector<nlohmann::json>& results);

// Accuracy and time over epochs, for each network of each data set that has a training.
std::vector<Plot> suite_plots(const Suite& suite, const std::vector<nlohmann::json>& results);

// report.html (with its plots inside), report.md, and plots/ as SVG and PNG. Throws RunError if they cannot be written.
void write_report(const Suite& suite, bool quick, const std::vector<nlohmann::json>& results,
                  const std::filesystem::path& folder);

}  // namespace cairn::comparisons
