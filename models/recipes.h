// Recipes and initialisations that several families of networks share. Not here: the networks.
#pragma once

#include <string>
#include <vector>

#include "models/model.h"

namespace cairn {

inline constexpr InitRule kUnitUniform{WeightInit::unit_uniform, BiasInit::constant};
inline constexpr InitRule kHeNormal{WeightInit::he_normal, BiasInit::constant};
inline constexpr InitRule kCaffeXavier{WeightInit::caffe_xavier, BiasInit::constant};
inline constexpr InitRule kCudnnTraining{WeightInit::cudnn_training, BiasInit::weight};
inline constexpr InitRule kTruncatedNormal{WeightInit::truncated_normal, BiasInit::constant, 0.1, 0.1};

// The default of every network: mini-batch SGD with momentum 0.9 and a cosine schedule over standardised pixels.
Recipe default_recipe(double learning_rate, int64_t epochs, double weight_decay = 0, int64_t batch_size = 64);

// For comparing step by step: plain SGD at a rate so low that rounding stays rounding, where the others' rates let it
// grow past any limit (docs/compare.md).
Recipe gentle_recipe();

// Nina-Konovalova/HCP_skoltech: `skoltech`, the settings of its cuDNN programs, and `skoltech-pytorch`, those of its
// PyTorch twins, both after the network's default. reaches: the accuracies that it shows after 45 epochs; "" where the
// network has no such program.
std::vector<Recipe> skoltech(const Recipe& standard, const std::string& cudnn_reaches,
                             const std::string& pytorch_reaches);

// LucasRr/deep_learning_playground: [0, 1] pixels of 50,000 of the training images, PyTorch's initial weights.
Recipe playground(const std::string& name, OptimizerKind optimizer, double learning_rate, double weight_decay,
                  int64_t batch_size, int64_t epochs, const std::string& reaches);

inline const Shape kPhoto{3, 224, 224};
inline constexpr int64_t kPhotoClasses = 1000;

// A network for ImageNet's photos, kPhoto out of a photo whose shorter side becomes 256, and its recipes. The
// pixel scale is that of torchvision's weights. head: the name of its last module. A network that has these otherwise
// changes them.
ModelInfo photo_network(const std::string& name, const std::string& description, ModelInfo::PhotoBuild build,
                        const std::string& head, double learning_rate, const InitRule& init = kHeNormal);

}  // namespace cairn
