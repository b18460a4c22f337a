// What a data set is to the rest of Cairn: host bytes, labels and a few facts, found by name. Not here: file formats
// (idx.h), where files lie (mnist.h), how they are fetched (download.h), batches (loader.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "datasets/bytes.h"
#include "framework/error.h"

namespace cairn::datasets {

// The data set is not on this machine and could not be fetched; a caller may fall back on `digits`. Damaged files are a
// plain DataError: nothing falls back from those.
struct MissingDataError : DataError {
  using DataError::DataError;
};

struct ImageSet {
  Bytes images;  // count x channels x height x width, 0 = background
  Bytes labels;  // count, each below Dataset::classes
  int64_t count = 0, channels = 0, height = 0, width = 0;
};

struct Dataset {
  std::string name;
  ImageSet train, test;
  int classes = 0;
  float mean = 0, std = 1;  // of the training pixels / 255
  std::vector<std::string> class_names;
  std::string source;  // the folder it was read from, or how it was generated
};

// Of a data set's training pixels / 255.
struct PixelStatistics {
  float mean, std;
};

struct LoadOptions {
  bool allow_download = true;
  bool check_hash = true;                   // false: any set in the same format will do
  bool quiet = false;                       // no lines about downloads on stderr
  const std::atomic<bool>* stop = nullptr;  // true: a download ends soon, with an InterruptedError
  uint64_t seed = 0;                        // of a generated data set, not of the training run
  std::vector<std::string> mirrors = {};    // base URLs instead of $CAIRN_MIRROR and the built-in ones
};

struct DatasetInfo {
  const char* name;
  const char* description;  // one line
};

// Every data set that load_dataset knows.
std::span<const DatasetInfo> known_datasets();

// `data_dir` unless it is empty: then $CAIRN_DATA, else ./data.
std::filesystem::path resolve_data_dir(const std::filesystem::path& data_dir);

// What Dataset::mean and std of that set are (generated from seed 0), without reading or drawing it. UsageError as
// below.
PixelStatistics pixel_statistics(const std::string& name);

// Looks below resolve_data_dir(data_dir). Errors: UsageError (unknown name; lists the choices),
// MissingDataError, DataError (damaged or unexpected files), IoError (a download that cannot be written).
Dataset load_dataset(const std::string& name, const std::filesystem::path& data_dir = {},
                     const LoadOptions& options = {});

}  // namespace cairn::datasets
