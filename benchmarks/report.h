// What was measured, as JSON, and from that as tables: results are kept as JSON, and every table is made from it. Not
// here: the measuring, the page of all results (page.h).
#pragma once

#include <nlohmann/json.hpp>

#include "benchmarks/kernels.h"
#include "benchmarks/ladder.h"
#include "benchmarks/step.h"
#include "benchmarks/table.h"

namespace cairn::benchmarks {

nlohmann::json to_json(const KernelRow& row);
nlohmann::json to_json(const KernelReport& report);
nlohmann::json to_json(const StepReport& report);
// As a kernels report, with the ladder's precision.
nlohmann::json to_json(const KernelReport& report, const LadderOptions& options);

// One line on what a report's figures belong to: machine, versions, threads, commit, settings.
std::string identity(const nlohmann::json& report);
// The measured ceilings in a line.
std::string ceilings_text(const nlohmann::json& report);
// The rows of one primitive.
Table kernels_table(const nlohmann::json& rows, const std::string& primitive);
// The same with a row for each call and a column for each implementation: time, GB/s, of ceiling, limit.
Table compact_table(const nlohmann::json& rows, const std::string& primitive);
// The split of a step by kernel.
Table step_table(const nlohmann::json& report);
// The step as a whole, in a few lines.
std::string step_summary(const nlohmann::json& report);

// The whole report. markdown: otherwise plain text.
std::string rendered(const nlohmann::json& report, bool markdown);

}  // namespace cairn::benchmarks
