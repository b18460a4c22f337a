#include "models/model.h"

#include <algorithm>

#include "framework/error.h"

namespace cairn {
namespace {

// The entry called `name`, or UsageError with every name there is.
template <class Entry>
const Entry& find_named(std::span<const Entry> entries, const std::string& name, const std::string& what) {
  std::string choices;
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
    choices += (choices.empty() ? "" : ", ") + entry.name;
  }
  throw UsageError("unknown " + what + " '" + name + "': choose one of " + choices);
}

struct OptimizerName {
  std::string name;
  OptimizerKind kind;
};
const OptimizerName kOptimizers[] = {
    {"sgd", OptimizerKind::sgd}, {"adam", OptimizerKind::adam}, {"adamw", OptimizerKind::adamw}};

}  // namespace

Augmentation AugmentationRecipe::settings() const {
  return {.crop_height = crop,
          .crop_width = crop,
          .pad = pad,
          .flip = flip,
          .brightness = static_cast<float>(brightness),
          .contrast_low = static_cast<float>(1 - contrast),
          .contrast_high = static_cast<float>(1 + contrast),
          .standardise = standardise};
}

std::span<const ModelInfo> known_models() {
  static const std::vector<ModelInfo> models = [] {
    std::vector<ModelInfo> all;
    for (const auto& family : {mlp_family, lenet_family, convnet_family, cifar_family, resnet_family})
      std::ranges::move(family(), back_inserter(all));
    return all;
  }();
  return models;
}

const ModelInfo& find_model(const std::string& name) {
  return find_named(known_models(), name, "model");
}

const Recipe& find_recipe(const ModelInfo& model, const std::string& name) {
  return find_recipe(model.recipes, name, "model " + model.name);
}

const Recipe& find_recipe(std::span<const Recipe> recipes, const std::string& name, const std::string& owner) {
  return find_named(recipes, name, "recipe of " + owner);
}

const char* name_of(OptimizerKind kind) {
  return std::ranges::find(kOptimizers, kind, &OptimizerName::kind)->name.c_str();
}

OptimizerKind optimizer_from(const std::string& name) {
  return find_named(std::span<const OptimizerName>(kOptimizers), name, "optimizer").kind;
}

std::string normalization_of(const Recipe& recipe) {
  switch (recipe.normalization) {
    case Normalization::unit:
      return "unit";
    case Normalization::unit_256:
      return "unit-256";
    case Normalization::centred:
      return "centred";
    case Normalization::imagenet:
      return "imagenet";
    case Normalization::standard:
      return recipe.statistics.empty() ? "standard" : recipe.statistics;
  }
  return "?";
}

bool decays(const Recipe& recipe, const std::string& tensor) {
  const std::string names = "," + recipe.decay_on + ",";
  return recipe.decay_on.empty() || names.find("," + tensor + ",") != std::string::npos;
}

std::string length_of(const Recipe& recipe) {
  const std::string epochs = std::to_string(recipe.epochs) + " epochs", steps = std::to_string(recipe.steps) + " steps";
  if (recipe.steps == 0) return epochs;
  return recipe.epochs == 0 ? steps : epochs + " or " + steps;
}

}  // namespace cairn
