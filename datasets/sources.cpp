// Sizes and hashes are those of the files as their authors published them.
#include "datasets/sources.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "datasets/pretrained.h"
#include "datasets/registry.h"

namespace cairn::datasets {

std::span<const DataSource> known_sources() {
  static const std::vector<DataSource> sources = [] {
    std::vector<DataSource> all;
    for (const DatasetInfo& info : known_datasets())
      if (info.source != nullptr) all.push_back(*info.source);
    return all;
  }();
  return sources;
}

const DataSource& find_source(const std::string& name) {
  std::string choices;
  for (const std::span<const DataSource> table : {known_sources(), pretrained_sources()})
    for (const DataSource& source : table) {
      if (source.name == name) return source;
      choices += (choices.empty() ? "" : ", ") + source.name;
    }
  throw UsageError(fmt::format("unknown data set '{}': choose one of {}, or all", name, choices));
}

std::vector<std::string> choose_mirrors(const DataSource& source, const std::vector<std::string>& preferred) {
  std::vector<std::string> mirrors = preferred;
  const char* const from_environment = std::getenv("CAIRN_MIRROR");
  if (mirrors.empty() && from_environment != nullptr) {
    std::istringstream words(from_environment);
    for (std::string word; words >> word;) mirrors.push_back(word);
  }
  if (mirrors.empty()) return source.mirrors;
  for (std::string& mirror : mirrors) {  // one base URL serves every data set
    if (!mirror.ends_with('/')) mirror += '/';
    mirror += source.name + "/";
  }
  return mirrors;
}

}  // namespace cairn::datasets
