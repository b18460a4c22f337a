// The page of all results, docs/benchmarks.md, made from the JSON files under bench/results. Not here: measuring.
#pragma once

#include <filesystem>
#include <string>

namespace cairn::benchmarks {

// results: a folder with one folder for each machine. Throws DataError for a file that is no result, UsageError if
// there is none.
std::string results_page(const std::filesystem::path& results);

}  // namespace cairn::benchmarks
