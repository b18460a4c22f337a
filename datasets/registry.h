// The table of data sets by name, and reading one of it. A new data set is one line in registry.cpp and one file beside
// it (docs/adding-a-dataset.md). Not here: which one is taken where none was named (choose.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "datasets/color_image.h"
#include "datasets/dataset.h"

namespace cairn::datasets {

struct DataSource;

struct LoadOptions {
  bool allow_download = true;
  bool check_hash = true;                   // false: any set in the same format will do
  bool stream = false;                      // leave images in files, where the set can (Column::source)
  bool test_only = false;                   // the training split may be left out, where that saves reading it
  PhotoForm photos = {};                    // what a set of photos makes of them (choose.h: photo_form)
  bool quiet = false;                       // no lines about downloads on stderr
  const std::atomic<bool>* stop = nullptr;  // true: a download ends soon, with an InterruptedError
  uint64_t seed = 0;                        // of a generated data set, not of the training run
  std::vector<std::string> mirrors = {};    // base URLs instead of $CAIRN_MIRROR and the built-in ones
};

// What is known of a data set without reading or drawing it.
struct DatasetInfo {
  std::string name;
  std::string description;  // one line
  Shape image;              // channels, height, width; rank 0: it has texts
  bool photos = false;      // of any size, made into images of the shape that is asked for; they stay in files
  std::vector<std::string> class_names = {};  // empty: only who looks knows
  PixelStatistics pixels;                     // of a generated one: of what seed 0 draws
  Dataset (*load)(const std::filesystem::path& data_dir, const LoadOptions& options) = nullptr;
  // Where it is published; null: it is generated, and needs no files.
  const DataSource* source = nullptr;
  // Of a generated one: puts it below the data folder as files, for programs that cannot draw it. True: something had
  // to be written. Errors: DataError (a file of that name holds something else), IoError.
  bool (*write)(const std::filesystem::path& data_dir) = nullptr;
  int file_count = 0;  // of what write leaves there

  bool has_texts() const { return image.rank() == 0; }
  int classes() const { return static_cast<int>(class_names.size()); }
};

// Every data set that load_dataset knows.
std::span<const DatasetInfo> known_datasets();
// "mnist, fashion-mnist, ...", for texts.
std::string dataset_names();
// UsageError: unknown; lists the choices.
const DatasetInfo& find_dataset(const std::string& name);

// Named after the table's entry and with its classes and statistics; no examples yet.
Dataset described(const DatasetInfo& info);

// `data_dir` unless it is empty: then $CAIRN_DATA, else ./data.
std::filesystem::path resolve_data_dir(const std::filesystem::path& data_dir);

// Looks below resolve_data_dir(data_dir). Errors: UsageError (unknown name; lists the choices),
// MissingDataError, DataError (damaged or unexpected files), IoError (a download that cannot be written).
Dataset load_dataset(const std::string& name, const std::filesystem::path& data_dir = {},
                     const LoadOptions& options = {});

}  // namespace cairn::datasets
