// One family, one file name: each primitive's function, and its test, stand in a file or folder called as the family
// that kernels/primitives.h gives it. Not here: the other rules (rules.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cairn::house {

// "path:line: what is wrong" for each that stands elsewhere; paths are from the root.
std::vector<std::string> misplaced_primitives(const std::filesystem::path& root, const std::vector<std::string>& paths);

}  // namespace cairn::house
