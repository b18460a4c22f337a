// The rules of the house that a program can check over the source tree: which folder may include which, where CUDA
// headers may appear, how long a file may be, white space, and links between pages. Not here: formatting
// (.clang-format).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cairn::house {

struct Report {
  size_t files = 0;                     // how many were looked at
  std::vector<std::string> violations;  // "path:line: what is wrong"
};

Report inspect(const std::filesystem::path& root);

}  // namespace cairn::house
