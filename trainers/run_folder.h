// The folder a run leaves behind, and may be continued from:
//   config.json              the settings by flag name: the one record of what the run is
//   metrics.jsonl            a line for each epoch
//   checkpoint.safetensors   the last state to continue from: weights, optimizer, step
//   best.safetensors         the weights with the best test accuracy so far
//   model.safetensors        the weights at the end
//   average.safetensors      their moving average at the end, where the recipe keeps one
//   words.txt                of a network of texts, the words that it knows, by rank (datasets/word_index.h)
//   classes.txt              names of classes, one a line, where only the data say them (datasets/imagefolder.h)
//   events.out.tfevents.*    on request, TensorBoard's view of the run (tensorboard.h)
// All but the metrics and the events, which only grow, are replaced as wholes: killed at any moment, a run leaves each
// of them old or new. Not here: what is in a safetensors file (framework/safetensors.h).
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "framework/file.h"
#include "trainers/checkpoint.h"
#include "trainers/run_config.h"

namespace cairn {

inline constexpr const char* kClassesFile = "classes.txt";

class RunFolder {
 public:
  // Creates the folder and proves that it can be written. path "": runs/<time>-<model>-<impl>, with a number appended
  // if that is taken. Throws IoError naming the folder and the reason; UsageError if it holds a run already.
  static RunFolder create(const std::string& path, const RunConfig& config);
  // The folder of an earlier run; what a killed one left half-written is removed. Throws IoError.
  static RunFolder reopen(const std::string& path);

  // Of a folder that need not be held. Empty: it has none. Throw DataError naming the file.
  static std::optional<RunConfig> read_config(const std::filesystem::path& folder);
  static std::optional<std::vector<HostTensor>> read_checkpoint(const std::filesystem::path& folder);
  // As errors call it.
  static std::string checkpoint_name(const std::filesystem::path& folder);
  // Whether what save_model writes is there.
  static bool holds_model(const std::filesystem::path& folder, Trainer& trainer);

  const std::filesystem::path& path() const { return path_; }

  // What another run's folder has up to its checkpoint; not its settings.
  void copy_from(const std::filesystem::path& folder) const;
  // Leaves the file alone where it says the same.
  void write_config(const nlohmann::json& config) const;
  // words.txt and classes.txt. "": none are known, and there is to be no file.
  void write_words(const std::string& lines) const;
  void write_classes(const std::string& lines) const;
  void append_metrics(const nlohmann::json& line) const;
  // Keeps the lines of the first `epochs` epochs: those that the continued run writes again go.
  void truncate_metrics(int64_t epochs) const;
  // Weights under PyTorch's names: at the end, and the best so far, as they are evaluated.
  void save_model(const Module& model) const;
  void save_average(const Module& averaged) const;
  void save_best(Trainer& trainer, int64_t epoch, double accuracy) const;
  void save_checkpoint(Trainer& trainer, const RunState& state) const;

 private:
  explicit RunFolder(std::filesystem::path path);
  void write_lines(const char* name, const std::string& lines) const;

  std::filesystem::path path_;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace cairn
