// The folder a run leaves behind: config.json, metrics.jsonl, model.safetensors, checkpoint.safetensors. Not here: what
// is in a safetensors file (framework/safetensors.h).
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "trainers/trainer.h"

namespace cairn {

class RunFolder {
 public:
  // Creates the folder and proves that it can be written. path "": runs/<time>-<model>-<impl>, with a number appended
  // if that is taken. Throws IoError naming the folder and the reason.
  RunFolder(const std::string& path, const RunConfig& config);

  const std::filesystem::path& path() const { return path_; }

  void write_config(const nlohmann::json& config) const;
  void append_metrics(const nlohmann::json& line) const;
  // Final weights, under PyTorch's names.
  void save_model(const Module& model) const;
  // Weights, optimizer state and step: what a run needs to continue.
  void save_checkpoint(Trainer& trainer) const;

 private:
  std::filesystem::path path_;
};

// Puts a run's checkpoint into a trainer of the same configuration. Throws DataError naming the file.
void load_checkpoint(Trainer& trainer, const std::filesystem::path& run_folder);

}  // namespace cairn
