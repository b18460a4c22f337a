// Sizes and hashes are those of the files as their authors published them.
#include "datasets/sources.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "datasets/registry.h"

namespace cairn::datasets {

namespace {

// Fetched, but read by nothing here yet.
std::vector<DataSource> unread_sources() {
  return {
      {"imdb",
       "film reviews as word numbers, as published with Keras; not read by `train` yet",
       {{"imdb.npz", 17464789, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"}},
       {"https://storage.googleapis.com/tensorflow/tf-keras-datasets/", "https://s3.amazonaws.com/text-datasets/"}},
  };
}

}  // namespace

std::span<const DataSource> known_sources() {
  static const std::vector<DataSource> sources = [] {
    std::vector<DataSource> all;
    for (const DatasetInfo& info : known_datasets())
      if (info.source != nullptr) all.push_back(*info.source);
    const std::vector<DataSource> unread = unread_sources();
    all.insert(all.end(), unread.begin(), unread.end());
    return all;
  }();
  return sources;
}

const DataSource& find_source(const std::string& name) {
  std::string choices;
  for (const DataSource& source : known_sources()) {
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
