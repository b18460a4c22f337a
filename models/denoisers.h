// The filters that take noise out of images, from a fixed 3 x 3 to a small network, with what the source published. Not
// here: training and measuring them (trainers/denoising.h).
#pragma once

#include "models/model.h"

namespace cairn {

struct DenoiserInfo {
  std::string name;
  std::string description;
  double published_snr;                                                            // dB, on MNIST's test images
  std::shared_ptr<Module> (*build)(const std::shared_ptr<Device>&, Initializer&);  // N x 1 x H x W to the same
  std::vector<Recipe> recipes;  // `default` and `playground`, the source's; 0 epochs: there is nothing to learn
};

// LucasRr/deep_learning_playground, CNN_for_image_denoising: zero padding, no biases, squared error.
std::span<const DenoiserInfo> known_denoisers();
// Throws UsageError that lists the choices.
const DenoiserInfo& find_denoiser(const std::string& name);
const Recipe& find_recipe(const DenoiserInfo& denoiser, const std::string& name);

}  // namespace cairn
