// The table of networks: what each is called, how it is built, and the recipes that train it. Not here: the training
// loop (trainers/), the layers (framework/nn).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/nn/init.h"
#include "framework/nn/module.h"
#include "framework/optim/schedule.h"

namespace cairn {

// How bytes become numbers.
enum class Normalization {
  unit,      // x / 255
  unit_256,  // x / 256
  standard,  // (x / 255 - mean) / std with the data set's own mean and standard deviation
  mnist,     // the same with MNIST's, whatever the data set
};
enum class OptimizerKind { sgd, adam, adamw };

// Everything about a training run that is not the machine's. Flags override single fields.
struct Recipe {
  std::string name;
  std::string description;  // where it comes from, what it reaches
  InitRule init;
  Normalization normalization = Normalization::standard;
  OptimizerKind optimizer = OptimizerKind::sgd;
  double learning_rate = 0.1;
  double momentum = 0;
  double weight_decay = 0;
  Schedule schedule;
  int64_t batch_size = 64;  // 0: full batch
  int64_t epochs = 10;      // 0: `steps` alone ends the run; otherwise whichever comes first
  int64_t steps = 0;        // of the optimizer; 0: no limit
  bool shuffle = true;      // otherwise batches follow the order in which the images are stored
  bool drop_last = false;
  int64_t validation_count = 0;  // images held out of the training set
};

struct ModelInfo {
  std::string name;
  std::string description;
  Shape input;  // of one sample
  int classes;
  std::shared_ptr<Module> (*build)(const std::shared_ptr<Device>&, Initializer&, DType);
  std::vector<Recipe> recipes;  // the first is `default`
};

std::span<const ModelInfo> known_models();
// Throw UsageError that lists the choices.
const ModelInfo& find_model(const std::string& name);
const Recipe& find_recipe(const ModelInfo& model, const std::string& name);
// Among the recipes of what `owner` calls, for the error's text: "model mlp".
const Recipe& find_recipe(std::span<const Recipe> recipes, const std::string& name, const std::string& owner);

const char* name_of(OptimizerKind kind);
OptimizerKind optimizer_from(const std::string& name);
const char* name_of(Normalization normalization);
// "15 epochs", "20000 steps", or both.
std::string length_of(const Recipe& recipe);

// The families, one file each.
std::vector<ModelInfo> mlp_family();      // mlp.cpp: linear, dnn, mlp and its wide, deep and dropout forms
std::vector<ModelInfo> lenet_family();    // lenet.cpp: LeNet-5, Caffe's and Caffe2's LeNet, relunet
std::vector<ModelInfo> convnet_family();  // convnets.cpp: cnn, simplecnn, simplenet, largenet

}  // namespace cairn
