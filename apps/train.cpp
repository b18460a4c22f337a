// train: trains a network. Parses flags, prints the result; the work is trainers/run.h's.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/app.h"
#include "apps/augmentation_flags.h"
#include "apps/device_flags.h"
#include "apps/flags.h"
#include "apps/text_flags.h"
#include "datasets/registry.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "models/transfer.h"
#include "trainers/run.h"

namespace cairn {
namespace {

// What the flags say; what they leave out comes from the model's recipe.
struct Settings {
  RunConfig config;
  RunOptions options;
  bool json = false;
  std::optional<int64_t> epochs, steps, batch_size, validation_count;
  std::optional<double> learning_rate, momentum, weight_decay, label_smoothing, clip_norm, average;
  std::optional<std::string> optimizer, schedule, decay_on;
  std::optional<bool> shuffle, drop_last, average_ramp;
  std::optional<std::string> freeze;
  std::string backbone;
  bool unfreeze = false;
  app::AugmentationFlags augmentation;
  app::TextFlags text;
  app::DeviceFlags device;
};

std::string recipes_text() {
  std::string text = "Models and their recipes:\n";
  for (const ModelInfo& model : known_models()) {
    text += fmt::format("  {}: {}\n", model.name, model.description);
    for (const Recipe& recipe : model.recipes)
      text += fmt::format("    {:<16} {} lr {:g}, batch {}, {}, {}: {}\n", recipe.name, name_of(recipe.optimizer),
                          recipe.learning_rate, recipe.batch_size ? std::to_string(recipe.batch_size) : "full",
                          length_of(recipe), text_of(recipe.schedule), recipe.description);
  }
  return text +
         "  transfer: a new head on a network for photos whose trained weights are given, by --backbone and "
         "--weights\n" +
         "    default          adam trains the head on features that are computed once\n" +
         "    playground       of alexnet and resnet18: LucasRr/deep_learning_playground, batch statistics in the "
         "backbone\n";
}

void add_flags(app::Flags& flags, Settings& settings) {
  RunConfig& config = settings.config;
  RunOptions& options = settings.options;
  flags.add("--model", config.model, "network to train; resnet50:37 is resnet50 with 37 classes");
  flags.add("--backbone", settings.backbone,
            ("with --model transfer: the network that a new head is trained on: " + backbone_names()).c_str());
  flags.add("--weights", config.weights,
            "a run's folder, a safetensors file or a .pth to begin with, in place of drawn weights");
  flags.add("--freeze", settings.freeze,
            "what is not trained: nothing; weights, of all before the head; backbone, its batch statistics too");
  flags.add_switch("--unfreeze", settings.unfreeze, "train everything: --freeze nothing");
  flags.add("--recipe", config.recipe, "the model's settings to start from");
  flags.add("--dataset", config.dataset,
            ("one of " + datasets::dataset_names() + "; default: the first that fits the network, else a generated one")
                .c_str());
  flags.add("--data-dir", config.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--stream", config.stream, "leave images with the host also where the device has room (true or false)");
  flags.add("--check-hash", config.check_hash, "refuse data files that are not the published ones (true or false)");
  flags.add("--data-sha256", config.data_sha256, "refuse a data set with another hash (a run's config.json has it)");
  settings.device.add(flags, config.device);
  flags.add("--epochs", settings.epochs, "passes over the data; 0 = --steps alone ends the run");
  flags.add("--steps", settings.steps, "end the run after so many steps, even within an epoch; 0 = no limit");
  flags.add("--batch-size", settings.batch_size, "images a step; 0 = full batch");
  flags.add("--lr", settings.learning_rate, "learning rate");
  flags.add("--momentum", settings.momentum, "of SGD");
  flags.add("--weight-decay", settings.weight_decay, "L2 penalty, decoupled for adamw");
  flags.add("--decay-on", settings.decay_on, "tensors that --weight-decay is for, separated by commas; default all");
  flags.add("--optimizer", settings.optimizer, "sgd, adam or adamw");
  flags.add("--schedule", settings.schedule,
            "constant, cosine, step:..., exponential:..., inverse:..., each also with warmup=STEPS");
  flags.add("--label-smoothing", settings.label_smoothing, "share of a label that all classes have alike");
  flags.add("--clip-norm", settings.clip_norm, "scale gradients down to this norm, all together; 0 = never");
  flags.add("--average", settings.average, "decay of the weights' moving average, which is evaluated; 0 = none");
  flags.add("--average-ramp", settings.average_ramp, "a lower decay in the first steps (true or false)");
  flags.add("--shuffle", settings.shuffle, "another random order each epoch, or the stored one (true or false)");
  flags.add("--drop-last", settings.drop_last, "leave out an epoch's short last batch (true or false)");
  flags.add("--validation-count", settings.validation_count, "training examples to hold out");
  settings.augmentation.add(flags);
  settings.text.add(flags);
  flags.add("--seed", config.seed, "of weights, order, dropout and augmentation");
  flags.add("--eval-every", config.eval_every, "epochs between evaluations, 0 = about twenty in a run");
  flags.add("--out", config.out, "run folder; default runs/<time>-<model>-<impl>, or --resume's");
  flags.add("--resume", options.resume, "continue the run in this folder with its settings");
  flags.add("--earlier", config.earlier, "what held before the run was resumed otherwise (a config.json has it)");
  flags.add("--save-every", config.save_every, "epochs between checkpoints, 0 = at the end");
  flags.add("--save-steps", config.save_steps, "steps between checkpoints within an epoch, 0 = none");
  flags.add_switch("--tensorboard", config.tensorboard, "write event files for TensorBoard into the run folder");
  flags.add_switch("--train-accuracy", config.train_accuracy,
                   "count the training examples that are right, each before its batch's update");
  flags.add("--log-interval", options.log_interval, "steps between progress lines");
  flags.add_config("--resume", "config.json", "JSON file with flags by name, such as a run's config.json", upgrade);
  flags.add_switch("--json", settings.json, "print the result as one JSON object, the last line of stdout");
  flags.add_switch("--quiet", options.quiet, "print only errors and results");
  flags.add_switch("--dry-run", options.dry_run, "stop before the first step; write nothing");
  flags.set_footer(recipes_text());
}

template <class Value>
void override_with(const std::optional<Value>& flag, Value& setting) {
  if (flag) setting = *flag;
}

// --model transfer --backbone resnet18 is the network transfer-resnet18.
void resolve_backbone(Settings& settings) {
  const bool transfer = settings.config.model == "transfer";
  if (transfer && settings.backbone.empty())
    throw UsageError("--model transfer needs a --backbone: " + backbone_names());
  if (!transfer && !settings.backbone.empty()) throw UsageError("--backbone goes with --model transfer");
  if (transfer) settings.config.model = transfer_name(settings.backbone);
  if (settings.unfreeze && settings.freeze) throw UsageError("--unfreeze is --freeze nothing: give one of them");
}

void resolve(Settings& settings) {
  resolve_backbone(settings);
  RunConfig& config = settings.config;
  Recipe& training = config.training;
  training = find_recipe(find_model(config.model), config.recipe);
  override_with(settings.epochs, training.epochs);
  override_with(settings.steps, training.steps);
  override_with(settings.batch_size, training.batch_size);
  override_with(settings.learning_rate, training.learning_rate);
  override_with(settings.weight_decay, training.weight_decay);
  override_with(settings.shuffle, training.shuffle);
  override_with(settings.drop_last, training.drop_last);
  override_with(settings.validation_count, training.validation_count);
  if (settings.optimizer) {
    training.optimizer = optimizer_from(*settings.optimizer);
    if (training.optimizer != OptimizerKind::sgd) training.momentum = 0;
  }
  override_with(settings.momentum, training.momentum);
  if (settings.schedule) training.schedule = parse_schedule(*settings.schedule);
  if (settings.freeze) training.freeze = freeze_from(*settings.freeze);
  if (settings.unfreeze) training.freeze = Freeze::nothing;
  override_with(settings.decay_on, training.decay_on);
  override_with(settings.label_smoothing, training.label_smoothing);
  override_with(settings.clip_norm, training.clip_norm);
  override_with(settings.average, training.average);
  override_with(settings.average_ramp, training.average_ramp);
  settings.augmentation.change(training.augmentation);
  settings.text.change(training.text);
  settings.device.resolve(config.device);
}

// Whether the command line itself has the flag, rather than a --config file.
bool names_flag(int argc, char** argv, const std::string& flag) {
  return std::any_of(argv + 1, argv + argc,
                     [&](const std::string& word) { return word == flag || word.rfind(flag + "=", 0) == 0; });
}

int train(int argc, char** argv) {
  app::Flags flags("train", "Trains a network.");
  Settings settings;
  add_flags(flags, settings);
  if (!flags.parse(argc, argv)) return app::kDone;
  resolve(settings);
  settings.options.dataset_asked = names_flag(argc, argv, "--dataset");
  settings.options.stop = &app::interruption();
  if (!settings.options.quiet) app::warn_of_threads("train", settings.config.device.threads);

  const RunResult result = run_training(settings.config, settings.options);
  const nlohmann::json& summary = result.summary;
  if (settings.json) {
    app::print("{}\n", dump_json(summary));
  } else if (settings.options.dry_run) {
    app::print("dry run: the settings are good; nothing was trained\n");
  } else {
    const std::string top5 = summary.contains("test_top5_accuracy")
                                 ? fmt::format("  top-5 {:.2f} %", 100 * summary["test_top5_accuracy"].get<double>())
                                 : std::string();
    app::print("test accuracy {:.2f} %{}  test loss {:.4f}  {:.3g} s an epoch  {}\n",
               100 * summary["test_accuracy"].get<double>(), top5, summary["test_loss"].get<double>(),
               summary["seconds_per_epoch"].get<double>(), summary["run_dir"].get<std::string>());
  }
  return result.interrupted ? app::kInterrupted : app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("train", [&] { return cairn::train(argc, argv); });
}
