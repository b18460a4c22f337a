#include "models/model.h"

#include <algorithm>

#include "framework/error.h"
#include "models/transfer.h"

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

struct FreezeName {
  std::string name;
  Freeze freeze;
};
const FreezeName kFreezes[] = {
    {"nothing", Freeze::nothing}, {"weights", Freeze::weights}, {"backbone", Freeze::backbone}};

// In the order of Task. noun: the flag that names such a network to the program.
struct TaskName {
  Task task;
  const char* name;
  const char* noun;
  const char* program;
};
constexpr TaskName kTasks[] = {{Task::classify, "classify", "model", "train"},
                               {Task::denoise, "denoise", "filter", "denoise"}};

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

const char* name_of(Task task) {
  return kTasks[static_cast<size_t>(task)].name;
}

std::span<const ModelInfo> known_models(Task task) {
  static const std::vector<ModelInfo> models = [] {
    std::vector<ModelInfo> all;
    for (const auto& family : {mlp_family, lenet_family, convnet_family, cifar_family, resnet_family, imagenet_family,
                               inception_family, text_family, denoiser_family})
      std::ranges::move(family(), back_inserter(all));
    std::ranges::stable_sort(all, {}, &ModelInfo::task);
    return all;
  }();
  const auto is_task = [task](const ModelInfo& model) { return model.task == task; };
  const auto begin = std::ranges::find_if(models, is_task), end = std::find_if_not(begin, models.end(), is_task);
  return {begin, end};
}

const ModelInfo& find_model(const std::string& name, Task task) {
  const TaskName& asked = kTasks[static_cast<size_t>(task)];
  for (const TaskName& other : kTasks)
    if (other.task != task && std::ranges::count(known_models(other.task), name, &ModelInfo::name) > 0)
      throw UsageError(std::string(asked.noun) + " '" + name + "': this network is made to " + other.name +
                       ": ./cairn " + other.program + " --" + other.noun + " " + name);
  if (const ModelInfo* made = task == Task::classify ? made_model(name) : nullptr) return *made;
  return find_named(known_models(task), name, asked.noun);
}

const Recipe& find_recipe(const ModelInfo& model, const std::string& name) {
  const std::string owner = kTasks[static_cast<size_t>(model.task)].noun;
  return find_named(std::span<const Recipe>(model.recipes), name, "recipe of " + owner + " " + model.name);
}

const char* name_of(OptimizerKind kind) {
  return std::ranges::find(kOptimizers, kind, &OptimizerName::kind)->name.c_str();
}

OptimizerKind optimizer_from(const std::string& name) {
  return find_named(std::span<const OptimizerName>(kOptimizers), name, "optimizer").kind;
}

const char* name_of(Freeze freeze) {
  return std::ranges::find(kFreezes, freeze, &FreezeName::freeze)->name.c_str();
}

Freeze freeze_from(const std::string& name) {
  return find_named(std::span<const FreezeName>(kFreezes), name, "part to freeze").freeze;
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
