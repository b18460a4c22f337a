// The pages of all results, docs/benchmarks.md and below docs/benchmarks, made from the JSON files under
// benchmarks/results. Not here: measuring.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cairn::benchmarks {

struct ResultsPage {
  std::filesystem::path path;  // below the folder that all are written to
  std::string text;
};

// The first says how it was measured and links the others, which hold one machine's figures each.
// results: a folder with one folder for each machine. Throws DataError for a file that is no result, UsageError if
// there is none.
std::vector<ResultsPage> results_pages(const std::filesystem::path& results);

}  // namespace cairn::benchmarks
