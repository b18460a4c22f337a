#include "datasets/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "datasets/cifar.h"
#include "datasets/digits.h"
#include "datasets/digits32.h"
#include "datasets/imagefolder.h"
#include "datasets/imagenet32.h"
#include "datasets/imdb.h"
#include "datasets/mnist.h"
#include "datasets/phrases.h"

namespace cairn::datasets {

// Where none is named, the first one that fits is taken: choose.h.
std::span<const DatasetInfo> known_datasets() {
  static const std::vector<DatasetInfo> all = {
      mnist_info(),    fashion_mnist_info(), digits_info(),      cifar10_info(), cifar100_info(), imagenet32_info(),
      digits32_info(), imagenet_info(),      imagefolder_info(), imdb_info(),    phrases_info(),
  };
  return all;
}

std::string dataset_names() {
  std::string names;
  for (const DatasetInfo& info : known_datasets()) names += (names.empty() ? "" : ", ") + info.name;
  return names;
}

const DatasetInfo& find_dataset(const std::string& name) {
  const std::span<const DatasetInfo> all = known_datasets();
  const auto found = std::ranges::find(all, name, &DatasetInfo::name);
  if (found != all.end()) return *found;
  throw UsageError(fmt::format("unknown data set '{}': choose one of {}", name, dataset_names()));
}

Dataset described(const DatasetInfo& info) {
  Dataset dataset;
  dataset.name = info.name;
  dataset.classes = info.classes();
  dataset.class_names = info.class_names;
  dataset.mean = info.pixels.mean;
  dataset.std = info.pixels.std;
  return dataset;
}

std::filesystem::path resolve_data_dir(const std::filesystem::path& data_dir) {
  if (!data_dir.empty()) return data_dir;
  const char* from_environment = std::getenv("CAIRN_DATA");
  return from_environment != nullptr && *from_environment != '\0' ? from_environment : "data";
}

Dataset load_dataset(const std::string& name, const std::filesystem::path& data_dir, const LoadOptions& options) {
  return find_dataset(name).load(resolve_data_dir(data_dir), options);
}

}  // namespace cairn::datasets
