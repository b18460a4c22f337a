// Trained weights: which file, of which network, trained on what kind of numbers. Not here: the file's format
// (framework/safetensors.h), computing with them (predictor.h).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/model.h"
#include "trainers/device_data.h"

namespace cairn {

// As a user names them; what is empty comes from the run's config.json.
struct WeightsChoice {
  std::string path;                       // a run folder or a safetensors file
  std::string model, recipe, trained_on;  // trained_on: the data set whose statistics scale the pixels
};

struct Weights {
  std::filesystem::path file;
  const ModelInfo* model = nullptr;
  std::string recipe, trained_on;
  std::vector<std::string> class_names;  // of that data set, or what classes.txt beside the weights says; or none
  PixelScale pixels;
  TokenEncoding text;               // of a network of texts
  AugmentationRecipe augmentation;  // of which evaluation sees the crop and the standardising
};

// A folder stands for its model.safetensors; config.json is looked for beside the weights. Throws UsageError for
// unknown names and where nothing says which model it is, DataError for a config.json that is none.
Weights find_weights(const WeightsChoice& choice);

// Puts the weights of a file, or of a run's folder, into a network that is to be trained: all of them; or, where the
// file's head is another one, those of all before the head. Throws as load_model does.
void begin_with(const Module& network, const ModelInfo& info, const std::string& path);

// The network with the weights in it. Throws DataError in one line: a file that cannot be read, or tensors of another
// network, listed.
std::shared_ptr<Module> load_model(const std::shared_ptr<Device>& device, const Weights& weights);

}  // namespace cairn
