// The table of networks: what each is called, how it is built, and the recipes that train it. Not here: the training
// loop (trainers/), the layers (framework/nn).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/nn/init.h"
#include "framework/nn/module.h"
#include "framework/ops/augment.h"
#include "framework/optim/schedule.h"
#include "framework/token_encoding.h"

namespace cairn {

// How bytes become numbers.
enum class Normalization {
  unit,      // x / 255
  unit_256,  // x / 256
  centred,   // (x / 255 - 0.5) / 0.5
  imagenet,  // (x / 255 - mean) / std with ImageNet's mean and deviation, as torchvision's weights want it
  standard,  // (x / 255 - mean) / std, channel by channel, with the data set's or another one's mean and deviation
};
enum class OptimizerKind { sgd, adam, adamw };

// How training changes its images, as flags and config.json have it; all of it is off by default.
struct AugmentationRecipe {
  int64_t crop = 0;          // side of the square window that is taken; 0: the whole image
  int64_t pad = 0;           // black pixels around the image before it is cropped
  bool flip = false;         // every other image is mirrored, left and right
  double brightness = 0;     // up to so much, of 255, is added to an image's pixels or taken away
  double contrast = 0;       // an image's pixels are spread by a factor of 1 - contrast to 1 + contrast
  bool standardise = false;  // each image to mean 0 and deviation 1, in place of the data set's scale

  bool operator==(const AugmentationRecipe&) const = default;
  bool any() const { return *this != AugmentationRecipe(); }
  Augmentation settings() const;
};

// What of a network stays as it is while it is trained: nothing, or all before its head.
enum class Freeze {
  nothing,
  weights,   // its weights; normalisations go by each batch's statistics, and keep counting their running ones
  backbone,  // weights and statistics: what the head is given of an image never changes
};

// Everything about a training run that is not the machine's. Flags override single fields.
struct Recipe {
  std::string name;
  std::string description;  // where it comes from, what it reaches
  InitRule init;
  Normalization normalization = Normalization::standard;
  std::string statistics;  // the data set whose mean and deviation `standard` takes; "": the one that is trained on
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
  int64_t validation_count = 0;     // images held out of the training set
  AugmentationRecipe augmentation;  // of the images, drawn anew in each epoch
  TokenEncoding text;               // of the words, for a network of texts
  double label_smoothing = 0;       // share of a label that all classes have alike
  double clip_norm = 0;             // the gradients are scaled down to this 2-norm, all of them together; 0: never
  std::string decay_on;             // the tensors that weight_decay is for, by name, separated by commas; "": all
  double average = 0;               // decay of the weights' moving average, which is then what is evaluated; 0: none
  bool average_ramp = false;        // the decay is at most (1 + t) / (10 + t) at step t
  Freeze freeze = Freeze::nothing;  // of a network with a backbone
};

// What a network is trained to do, and by which program (trainers/tasks).
enum class Task {
  classify,  // a logit for each class of an image or a text: train
  denoise,   // an image without its noise: denoise
};

// How a network for photos ends: in a layer with a logit for each class, behind another one with a ReLU where `hidden`
// is not 0, in place of what was published.
struct HeadPlan {
  int64_t classes = 1000, hidden = 0;
};

struct ModelInfo {
  using Build = std::function<std::shared_ptr<Module>(const std::shared_ptr<Device>&, Initializer&, DType)>;
  using PhotoBuild = std::shared_ptr<Module> (*)(const std::shared_ptr<Device>&, Initializer&, DType,
                                                 const HeadPlan& head);

  std::string name;
  std::string description;
  Shape input;  // of one sample: channels x height x width, or how many numbers of words a text has
  int classes;  // a logit for each is the output; 0: the output is an image like the input, or as the data have it
  Build build;
  std::vector<Recipe> recipes;  // the first is `default`
  Task task = Task::classify;
  int64_t vocabulary = 0;  // of a network of texts: it knows the numbers below this; 0: it takes images
  int64_t photo_side = 0;  // of a network of photos: their shorter side before the middle is cut out; 0: none
  // Of a network for photos: with another head, and what its last module, the head, is called.
  PhotoBuild build_with = nullptr;
  std::string head = {};
  std::string backbone = {};  // of a network for transfer learning: the network whose weights it begins with
};

inline bool takes_texts(const ModelInfo& model) {
  return model.vocabulary > 0;
}
// Large networks for ImageNet's photos, which are scaled and cut before they are looked at.
inline bool takes_photos(const ModelInfo& model) {
  return model.photo_side > 0;
}
// "images" or "texts": what it is given, in words.
inline const char* examples_of(const ModelInfo& model) {
  return takes_texts(model) ? "texts" : "images";
}

std::span<const ModelInfo> known_models(Task task = Task::classify);
// Also networks made of those for photos (transfer.h): "resnet50:37", "transfer-resnet18". Throws UsageError that lists
// the choices, or names the program that a network of another task goes with.
const ModelInfo& find_model(const std::string& name, Task task = Task::classify);
// Throws UsageError that lists the choices.
const Recipe& find_recipe(const ModelInfo& model, const std::string& name);

const char* name_of(Task task);

const char* name_of(Freeze freeze);
Freeze freeze_from(const std::string& name);

const char* name_of(OptimizerKind kind);
OptimizerKind optimizer_from(const std::string& name);
// "unit", "standard", ..., or the data set that `standard` takes its statistics from.
std::string normalization_of(const Recipe& recipe);
// Whether weight_decay is for the tensor of that name.
bool decays(const Recipe& recipe, const std::string& tensor);
// "15 epochs", "20000 steps", or both.
std::string length_of(const Recipe& recipe);

// The families, one file each.
std::vector<ModelInfo> mlp_family();        // mlp.cpp: linear, dnn, mlp and its wide, deep and dropout forms
std::vector<ModelInfo> lenet_family();      // lenet.cpp: LeNet-5, Caffe's and Caffe2's LeNet, relunet
std::vector<ModelInfo> convnet_family();    // convnets.cpp: cnn, simplecnn, simplenet, largenet
std::vector<ModelInfo> cifar_family();      // cifar.cpp: networks for small colour images
std::vector<ModelInfo> resnet_family();     // resnet.cpp: residual networks with batch normalisation
std::vector<ModelInfo> imagenet_family();   // imagenet.cpp: alexnet, vgg16, densenet121, for photos
std::vector<ModelInfo> inception_family();  // inception.cpp: inception-v3, for photos
std::vector<ModelInfo> text_family();       // text.cpp: recurrent networks for texts
std::vector<ModelInfo> denoiser_family();   // denoisers.cpp: filters that take noise out of images

}  // namespace cairn
