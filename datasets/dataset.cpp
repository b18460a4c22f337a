// The table of data sets by name. A new data set is one line here and one file beside this one.
#include "datasets/dataset.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "datasets/digits.h"
#include "datasets/mnist.h"

namespace cairn::datasets {
namespace {

using Loader = Dataset (*)(const std::filesystem::path& data_dir, const LoadOptions& options);

Dataset load_digits(const std::filesystem::path&, const LoadOptions& options) {
  return generate_digits(options.seed);
}

// The same order in all arrays, known_datasets() being what the outside sees.
constexpr std::array<DatasetInfo, 3> kInfos{{
    {"mnist", "handwritten digits, 28x28 grey, 10 classes, 60,000 + 10,000 (LeCun, Cortes, Burges)"},
    {"fashion-mnist", "articles of clothing, 28x28 grey, 10 classes, 60,000 + 10,000 (Zalando Research, MIT licence)"},
    {"digits", "digits drawn in-process from a seed, 28x28 grey, 10 classes, 20,000 + 4,000; needs no files"},
}};
constexpr std::array<Loader, 3> kLoaders{load_mnist, load_fashion_mnist, load_digits};
constexpr std::array<PixelStatistics, 3> kPixels{kMnistPixels, kFashionMnistPixels, kDigitsPixels};

// Its place in these arrays.
size_t find_dataset(const std::string& name) {
  std::string choices;
  for (size_t i = 0; i < kInfos.size(); ++i) {
    if (name == kInfos[i].name) return i;
    choices += fmt::format("{}{}", i == 0 ? "" : ", ", kInfos[i].name);
  }
  throw UsageError(fmt::format("unknown data set '{}': choose one of {}", name, choices));
}

}  // namespace

std::filesystem::path resolve_data_dir(const std::filesystem::path& data_dir) {
  if (!data_dir.empty()) return data_dir;
  const char* from_environment = std::getenv("CAIRN_DATA");
  return from_environment != nullptr && *from_environment != '\0' ? from_environment : "data";
}

std::span<const DatasetInfo> known_datasets() {
  return kInfos;
}

PixelStatistics pixel_statistics(const std::string& name) {
  return kPixels[find_dataset(name)];
}

Dataset load_dataset(const std::string& name, const std::filesystem::path& data_dir, const LoadOptions& options) {
  return kLoaders[find_dataset(name)](resolve_data_dir(data_dir), options);
}

}  // namespace cairn::datasets
