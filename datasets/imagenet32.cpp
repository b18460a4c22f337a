// 3.9 GB: one file at a time is in memory beside the set itself, and its images are copied once.
#include "datasets/imagenet32.h"

#include <fmt/format.h>

#include <algorithm>

#include "datasets/file.h"
#include "datasets/imagenet_names.h"
#include "datasets/sources.h"
#include "datasets/stream.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "imagenet32";
constexpr int kTrainingFiles = 10;
constexpr int64_t kTrainingImages = 1'281'167, kTestImages = 50'000;

const DataSource& imagenet32_source() {
  static const DataSource source = [] {
    DataSource it;
    it.name = kName;
    it.note = "32x32 colour photos of ImageNet's 1000 classes";
    it.by_hand =
        "it needs a login: register at https://image-net.org, download the 32x32 train and val archives of Downsampled "
        "ImageNet, and unpack train_data_batch_1 to 10 and val_data";
    return it;
  }();
  return source;
}

// Of one of the files, or an empty path.
fs::path find_file(const fs::path& data_dir, const std::string& name) {
  std::error_code ignored;  // an unreadable folder holds nothing
  for (const fs::path& place : {data_dir / kName, data_dir}) {
    for (const char* folder : {"", "Imagenet32_train", "Imagenet32_val", "Imagenet32_train_npz", "Imagenet32_val_npz"})
      for (const char* ending : {"", ".npz"})
        if (fs::path path = place / folder / (name + ending); fs::exists(path, ignored)) return path;
  }
  return {};
}

struct Files {
  std::vector<fs::path> training;
  fs::path test;
};

// MissingDataError: there are none. DataError: not all that are needed.
Files find_files(const fs::path& data_dir, bool all) {
  Files files;
  std::string missing;
  for (int i = 1; i <= kTrainingFiles; ++i) {
    const std::string name = fmt::format("train_data_batch_{}", i);
    if (fs::path path = find_file(data_dir, name); !path.empty())
      files.training.push_back(std::move(path));
    else if (missing.empty())
      missing = name;
  }
  files.test = find_file(data_dir, "val_data");
  const std::string place = (data_dir / kName).string();
  if (files.training.empty() && files.test.empty())
    throw MissingDataError(
        fmt::format("{}: train_data_batch_1 is not in {}: {} there", kName, place, imagenet32_source().by_hand));
  if (files.training.empty() || (all && !missing.empty()))
    throw DataError(fmt::format("{}: {} is not in {}, and others are: put it there{}", kName, missing, place,
                                files.training.empty() ? "" : ", or take those that there are by --check-hash false"));
  if (files.test.empty())
    throw DataError(fmt::format("{}: val_data is not in {}, and others are: put it there", kName, place));
  return files;
}

Split read_files(std::span<const fs::path> paths, bool stream) {
  const PixelBatchFormat format = imagenet32_format();
  const auto image_bytes = static_cast<size_t>(format.image.count());
  Bytes pixels;
  std::vector<int32_t> labels;
  std::vector<RecordFile> records;
  size_t bytes = 0;  // no less than the images', unless they are packed
  std::error_code ignored;
  for (const fs::path& path : paths) bytes += std::min<uint64_t>(fs::file_size(path, ignored), kMaxFileBytes);
  if (!stream) pixels.reserve(bytes);
  for (const fs::path& path : paths) {
    const PixelBatch batch(read_file(path), format, path.string());
    labels.insert(labels.end(), batch.labels().begin(), batch.labels().end());
    if (!stream) {
      pixels.insert(pixels.end(), batch.pixels().begin(), batch.pixels().end());
      continue;
    }
    const std::optional<uint64_t> begin = batch.pixels_begin();
    if (!begin)
      throw DataError(
          fmt::format("{}: images are packed in it, and can be left in files only as they are", path.string()));
    records.push_back({.path = path, .count = batch.count(), .begin = *begin, .alone = false});
  }
  if (!stream) return image_split(format.image, std::move(pixels), labels);
  return streamed_split(format.image, record_source(records, {image_bytes, 0, image_bytes}), labels);
}

void check_count(const Split& split, int64_t published, const char* what) {
  if (split.count == published) return;
  throw DataError(
      fmt::format("{}: its files have {} images for {}, where {} were published: --check-hash false takes "
                  "any number",
                  kName, split.count, what, published));
}

Dataset load_imagenet32(const fs::path& data_dir, const LoadOptions& options) {
  const Files files = find_files(data_dir, options.check_hash);
  const DatasetInfo& info = find_dataset(kName);
  Dataset dataset = described(info);
  dataset.source = files.training.front().parent_path().string();
  dataset.test = read_files(std::span(&files.test, 1), options.stream);
  if (options.check_hash) check_count(dataset.test, kTestImages, "testing");
  dataset.train = read_files(files.training, options.stream);
  if (options.check_hash) check_count(dataset.train, kTrainingImages, "training");
  return dataset;
}

}  // namespace

PixelBatchFormat imagenet32_format() {
  return {.image = {3, 32, 32}, .labels = "labels", .first_label = 1, .classes = 1000};
}

DatasetInfo imagenet32_info() {
  return {.name = kName,
          .description =
              "ImageNet's photos, 32x32 colour, 1000 classes, 1,281,167 + 50,000 (Chrabaszcz, Loshchilov, "
              "Hutter)",
          .image = imagenet32_format().image,
          .class_names = imagenet_class_names(),
          // As others have measured them: the set itself was not at hand. `info --dataset imagenet32` measures it.
          .pixels = {{0.4811f, 0.4575f, 0.4078f}, {0.2605f, 0.2533f, 0.2683f}},
          .load = load_imagenet32,
          .source = &imagenet32_source()};
}

}  // namespace cairn::datasets
