#include "trainers/run_config.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "trainers/run_parts.h"

namespace cairn {
namespace {

void require(bool holds, const std::string& flag, const std::string& rule, double value) {
  if (holds) return;
  std::string text = std::to_string(value);
  if (std::isfinite(value) && value == std::floor(value)) text = std::to_string(static_cast<int64_t>(value));
  throw UsageError(flag + " must be " + rule + ", not " + text);
}

constexpr const char* kCrop = "crop";  // no settings of Cairn 0.1 have it, all later ones do

// Every setting under its flag's name, for writing and for reading. Not `out`: a run that is repeated has a folder of
// its own.
template <class Config, class Visit>
void visit_settings(Config& config, const Visit& visit) {
  auto& training = config.training;
  visit("model", config.model);
  visit("recipe", config.recipe);
  visit("dataset", config.dataset);
  visit("data-dir", config.data_dir);
  visit("stream", config.stream);
  visit("check-hash", config.check_hash);
  visit("data-sha256", config.data_sha256);
  visit("impl", config.device.implementation);
  visit("device", config.device.where);
  visit("precision", config.device.precision);
  visit("threads", config.device.threads);
  visit("kernel", config.device.kernels);
  visit("autotune", config.device.autotune);
  visit("weights", config.weights);
  visit("freeze", training.freeze);
  visit("seed", config.seed);
  visit("epochs", training.epochs);
  visit("steps", training.steps);
  visit("shuffle", training.shuffle);
  visit("batch-size", training.batch_size);
  visit("lr", training.learning_rate);
  visit("optimizer", training.optimizer);
  visit("momentum", training.momentum);
  visit("weight-decay", training.weight_decay);
  visit("schedule", training.schedule);
  visit("drop-last", training.drop_last);
  visit("validation-count", training.validation_count);
  visit("label-smoothing", training.label_smoothing);
  visit("clip-norm", training.clip_norm);
  visit("decay-on", training.decay_on);
  visit("average", training.average);
  visit("average-ramp", training.average_ramp);
  visit(kCrop, training.augmentation.crop);
  visit("pad", training.augmentation.pad);
  visit("flip", training.augmentation.flip);
  visit("brightness", training.augmentation.brightness);
  visit("contrast", training.augmentation.contrast);
  visit("standardise", training.augmentation.standardise);
  visit("vocabulary", training.text.vocabulary);
  visit("text-length", training.text.length);
  visit("keep-last", training.text.keep_last);
  visit("pad-front", training.text.pad_front);
  visit("start-token", training.text.start_token);
  visit("top-specials", training.text.top_specials);
  visit("eval-every", config.eval_every);
  visit("save-every", config.save_every);
  visit("save-steps", config.save_steps);
  visit("tensorboard", config.tensorboard);
  visit("train-accuracy", config.train_accuracy);
}

template <class Value>
nlohmann::json to_setting(const Value& value) {
  if constexpr (std::is_same_v<Value, OptimizerKind> || std::is_same_v<Value, Precision> ||
                std::is_same_v<Value, Freeze>)
    return name_of(value);
  else if constexpr (std::is_same_v<Value, Schedule>)
    return text_of(value);
  else
    return value;
}

// Throws a JSON exception for a value of another type.
template <class Value>
void from_setting(const nlohmann::json& setting, Value& value) {
  if constexpr (std::is_same_v<Value, OptimizerKind>)
    value = optimizer_from(setting.get<std::string>());
  else if constexpr (std::is_same_v<Value, Freeze>)
    value = freeze_from(setting.get<std::string>());
  else if constexpr (std::is_same_v<Value, Precision>)
    value = precision_from(setting.get<std::string>());
  else if constexpr (std::is_same_v<Value, Schedule>)
    value = parse_schedule(setting.get<std::string>());
  else
    value = setting.get<Value>();
}

}  // namespace

const char* name_of(Precision precision) {
  return precision == Precision::tf32 ? "tf32" : precision == Precision::bf16 ? "bf16" : "fp32";
}

void check_device(const DeviceOptions& device) {
  require(device.threads >= 0 && device.threads <= 1024, "--threads", "between 0 and 1024", device.threads);
}

namespace {

double whole(int64_t value) {
  return static_cast<double>(value);
}

void check_length(const Recipe& training) {
  require(training.steps >= 0 && training.steps <= 1000000000, "--steps", "between 0 and 1000000000",
          whole(training.steps));
  const int64_t least_epochs = training.steps > 0 ? 0 : 1;
  require(training.epochs >= least_epochs && training.epochs <= 1000000, "--epochs",
          "between " + std::to_string(least_epochs) + " and 1000000", whole(training.epochs));
}

void check_optimizer(const Recipe& training) {
  require(std::isfinite(training.learning_rate) && training.learning_rate > 0, "--lr", "a number above 0",
          training.learning_rate);
  require(training.momentum >= 0 && training.momentum < 1, "--momentum", "in [0, 1)", training.momentum);
  require(std::isfinite(training.weight_decay) && training.weight_decay >= 0, "--weight-decay", "0 or more",
          training.weight_decay);
  require(std::isfinite(training.clip_norm) && training.clip_norm >= 0, "--clip-norm", "0 or more", training.clip_norm);
  require(training.average >= 0 && training.average < 1, "--average", "in [0, 1)", training.average);
  require(training.label_smoothing >= 0 && training.label_smoothing < 1, "--label-smoothing", "in [0, 1)",
          training.label_smoothing);
  if (training.optimizer != OptimizerKind::sgd && training.momentum != 0)
    throw UsageError(std::string("--momentum is SGD's; ") + name_of(training.optimizer) + " has its own");
}

}  // namespace

void check_augmentation(const AugmentationRecipe& images) {
  constexpr int64_t kMostPixels = 4096;
  require(images.crop >= 0 && images.crop <= kMostPixels, "--crop", "between 0 and 4096", whole(images.crop));
  require(images.pad >= 0 && images.pad <= kMostPixels, "--pad", "between 0 and 4096", whole(images.pad));
  require(images.brightness >= 0 && images.brightness <= 255, "--brightness", "between 0 and 255", images.brightness);
  require(images.contrast >= 0 && images.contrast <= 1, "--contrast", "between 0 and 1", images.contrast);
  if (images.pad > 0 && images.crop == 0)
    throw UsageError("--pad goes with --crop: the images are padded, and a window of that size is taken");
}

void check_input(const ModelInfo& model, const AugmentationRecipe& images, const TokenEncoding& text) {
  constexpr int64_t kMostNumbers = 4096;
  if (!takes_texts(model)) {
    if (text != TokenEncoding())
      throw UsageError(
          "--vocabulary, --text-length, --keep-last, --pad-front, --start-token and --top-specials are for networks of "
          "texts; model " +
          model.name + " takes images");
    return;
  }
  if (images.any())
    throw UsageError("--crop, --pad, --flip, --brightness, --contrast and --standardise are for images; model " +
                     model.name + " takes texts");
  require(text.vocabulary >= kLeastVocabulary && text.vocabulary <= model.vocabulary, "--vocabulary",
          "between " + std::to_string(kLeastVocabulary) + " and " + std::to_string(model.vocabulary) +
              ", the network's own",
          whole(text.vocabulary));
  require(text.length >= 1 && text.length <= kMostNumbers, "--text-length",
          "between 1 and " + std::to_string(kMostNumbers), whole(text.length));
}

namespace {

void check_freeze(const ModelInfo& model, const RunConfig& config) {
  if (config.training.freeze != Freeze::nothing && model.head.empty())
    throw UsageError("--freeze " + std::string(name_of(config.training.freeze)) + ": model " + model.name +
                     " has no backbone; networks for photos have one");
  const bool needed = !model.backbone.empty() || config.training.freeze != Freeze::nothing;
  if (needed && config.weights.empty())
    throw UsageError("--weights is needed: a file with the trained weights of " +
                     (model.backbone.empty() ? model.name : model.backbone));
}

}  // namespace

void check_config(const RunConfig& config) {
  const Recipe& training = config.training;
  check_optimizer(training);
  check_length(training);
  check_augmentation(training.augmentation);
  const ModelInfo& model = find_model(config.model);
  check_input(model, training.augmentation, training.text);
  check_freeze(model, config);
  require(training.batch_size >= 0, "--batch-size", "a number of images, or 0 for the full batch",
          whole(training.batch_size));
  require(training.validation_count >= 0, "--validation-count", "0 or more", whole(training.validation_count));
  require(config.eval_every >= 0, "--eval-every", "0 or more", whole(config.eval_every));
  require(config.save_every >= 0, "--save-every", "0 or more", whole(config.save_every));
  require(config.save_steps >= 0, "--save-steps", "0 or more", whole(config.save_steps));
  check_device(config.device);
  if (config.earlier.empty()) return;
  for (const RunPart& part : parts_of(config)) check_config(part.config);
}

Precision precision_from(const std::string& name) {
  for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16})
    if (name == name_of(precision)) return precision;
  throw UsageError("unknown precision '" + name + "': choose one of fp32, tf32, bf16");
}

nlohmann::json to_json(const RunConfig& config) {
  nlohmann::json settings;
  visit_settings(config, [&](const char* name, const auto& value) { settings[name] = to_setting(value); });
  if (!config.earlier.empty()) settings["earlier"] = parse_json(config.earlier);
  return settings;
}

std::string upgrade(nlohmann::json& settings) {
  if (!settings.is_object() || settings.contains(kCrop)) return {};
  bool renamed = false;
  const auto rename = [&](nlohmann::json& each) {
    const auto implementation = each.is_object() ? each.find("impl") : each.end();
    if (implementation == each.end() || *implementation != "eigen") return;
    *implementation = "simd";
    renamed = true;
  };
  rename(settings);
  if (settings.contains("earlier") && settings["earlier"].is_array())
    for (nlohmann::json& part : settings["earlier"]) rename(part);
  return renamed ? "is of Cairn 0.1; the implementation that was called eigen there is simd now" : "";
}

RunConfig config_from_json(nlohmann::json settings, const std::string& file) {
  if (const std::string changed = upgrade(settings); !changed.empty()) say(file + ": " + changed);
  const auto read = [&](const char* name, auto& value) {
    if (!settings.contains(name)) return;
    try {
      from_setting(settings[name], value);
    } catch (const nlohmann::json::exception&) {
      throw DataError(file + ": '" + name + "' cannot be " + in_quotes(dump_json(settings[name])));
    }
  };
  RunConfig config;
  read("model", config.model);
  read("recipe", config.recipe);
  config.training = find_recipe(find_model(config.model), config.recipe);
  visit_settings(config, read);
  if (settings.contains("earlier")) config.earlier = dump_json(settings["earlier"]);
  return config;
}

}  // namespace cairn
