// What a comparison with PyTorch found, as tables, as a page, and as plots. Not here: the comparison (parity.h), how a
// page is written (page.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "benchmarks/table.h"
#include "comparisons/parity.h"

namespace cairn::comparisons {

// One comparison line by line, with a verdict on each line that has a limit.
benchmarks::Table parity_table(const ParityResult& result);
// Where PyTorch's times come from, and whether they may be divided by ours: one sentence.
std::string times_note(const ParityResult& result);
// One comparison a row.
benchmarks::Table summary_table(const std::vector<ParityResult>& results);

// report.html, all of it with its plots inside; report.md, the summary, and <model>.md with its details and plots/ as
// SVG. Throws RunError if they cannot be written.
void write_parity_report(const std::vector<ParityResult>& results, const std::filesystem::path& folder);

}  // namespace cairn::comparisons
