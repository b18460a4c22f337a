// One training run's settings, after the model's recipe and the flags have been put together. Not here: flag parsing
// (apps/), what the settings do (trainer.h).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "framework/device.h"
#include "models/model.h"

namespace cairn {

struct RunConfig {
  std::string model = "dnn";
  std::string recipe = "default";
  std::string dataset;      // "" = the one that fits (datasets/choose.h)
  std::string data_dir;     // "" = $CAIRN_DATA, else ./data
  bool stream = false;      // leave the images with the host, also where the device has room for them
  bool check_hash = true;   // refuse data files that are not the published ones
  std::string data_sha256;  // of the images and labels to train on, as data_sha256() has it; "" = not known yet
  DeviceOptions device;
  std::string weights;  // file or run folder with the weights to begin with, all or a backbone's; "" = drawn
  uint64_t seed = 1;
  Recipe training;              // the recipe with the flags' changes
  int64_t eval_every = 0;       // epochs between evaluations; 0 = about twenty in a run
  int64_t save_every = 1;       // epochs between checkpoints; 0 = at the end
  int64_t save_steps = 0;       // steps between checkpoints within an epoch; 0 = none
  bool tensorboard = false;     // write event files
  bool train_accuracy = false;  // count the training examples that are right, each before its batch's update
  std::string earlier;          // what held before a resumption changed it (run_parts.h); "" = nothing
  std::string out;              // run folder; "" = runs/<time>-<model>-<impl>
};

// Throws UsageError naming the flag for a learning rate, batch size, ... that makes no sense.
void check_config(const RunConfig& config);

// The parts of it that programs share: those that draw images, and every one with a device.
void check_augmentation(const AugmentationRecipe& images);
// Texts are encoded, images are augmented, and not the other way round.
void check_input(const ModelInfo& model, const AugmentationRecipe& images, const TokenEncoding& text);
void check_device(const DeviceOptions& device);

const char* name_of(Precision precision);
// fp32, tf32 or bf16. Throws UsageError.
Precision precision_from(const std::string& name);

// What config.json holds: the names of the flags, so that `--config config.json` repeats the run.
nlohmann::json to_json(const RunConfig& config);
// The settings in it, and the recipe's where it is silent. Throws DataError that names `file`, UsageError for unknown
// names. Says so where the settings were brought up to date.
RunConfig config_from_json(nlohmann::json settings, const std::string& file);
// Settings that Cairn 0.1 wrote, in today's names; what changed is in the text, for a message. Others are left alone.
std::string upgrade(nlohmann::json& settings);

}  // namespace cairn
