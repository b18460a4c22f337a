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
      {"cifar10",
       "32x32 colour photos of 10 classes, unpacked to .bin files; not read by `train` yet",
       {{"cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}},
       {"https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/",
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"},
       "cifar-10-batches-bin",
       {{"data_batch_1.bin", 30730000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
        {"data_batch_2.bin", 30730000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
        {"data_batch_3.bin", 30730000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
        {"data_batch_4.bin", 30730000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
        {"data_batch_5.bin", 30730000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
        {"test_batch.bin", 30730000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"}}},
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
