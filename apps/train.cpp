// train: trains a network. Parses flags, prints the result; the work is trainers/run.h's.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/app.h"
#include "framework/error.h"
#include "kernels/registry.h"
#include "trainers/run.h"

namespace cairn {
namespace {

// What the flags say; what they leave out comes from the model's recipe.
struct Flags {
  RunConfig config;
  RunOptions options;
  bool json = false;
  std::optional<int64_t> epochs, batch_size;
  std::optional<double> learning_rate, momentum, weight_decay;
  std::optional<std::string> optimizer, schedule;
  std::optional<bool> drop_last;
  std::string precision = "fp32";
};

std::string recipes_text() {
  std::string text = "Models and their recipes:\n";
  for (const ModelInfo& model : known_models()) {
    text += fmt::format("  {}: {}\n", model.name, model.description);
    for (const Recipe& recipe : model.recipes)
      text +=
          fmt::format("    {:<11} {} lr {:g}, batch {}, {} epochs, {}: {}\n", recipe.name, name_of(recipe.optimizer),
                      recipe.learning_rate, recipe.batch_size ? std::to_string(recipe.batch_size) : "full",
                      recipe.epochs, text_of(recipe.schedule), recipe.description);
  }
  return text;
}

// The fastest that this machine has: cudnn on a GPU, eigen without one.
std::string fastest_implementation() {
  const Backend* cudnn = find_backend("cudnn", Where::cuda);
  return cudnn && cudnn->device_count() > 0 ? "cudnn" : "eigen";
}

void add_flags(CLI::App& app, Flags& flags) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  RunConfig& config = flags.config;
  RunOptions& options = flags.options;
  app.add_option("--model", config.model, "network to train")->capture_default_str();
  app.add_option("--recipe", config.recipe, "the model's settings to start from")->capture_default_str();
  app.add_option("--dataset", config.dataset, "mnist, fashion-mnist or digits; default mnist, else digits");
  app.add_option("--data-dir", config.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  app.add_option("--check-hash", config.check_hash, "refuse data files that are not the published ones (true or false)")
      ->capture_default_str();
  config.device.implementation = fastest_implementation();
  app.add_option("--impl", config.device.implementation, "implementation of the kernels")->capture_default_str();
  app.add_option("--device", config.device.where, "auto, cpu or cuda")->capture_default_str();
  app.add_option("--epochs", flags.epochs, "passes over the data");
  app.add_option("--batch-size", flags.batch_size, "images a step; 0 = full batch");
  app.add_option("--lr", flags.learning_rate, "learning rate");
  app.add_option("--momentum", flags.momentum, "of SGD");
  app.add_option("--weight-decay", flags.weight_decay, "L2 penalty, decoupled for adamw");
  app.add_option("--optimizer", flags.optimizer, "sgd, adam or adamw");
  app.add_option("--schedule", flags.schedule, "constant, cosine, step:..., exponential:..., inverse:...");
  app.add_option("--drop-last", flags.drop_last, "leave out an epoch's short last batch (true or false)");
  app.add_option("--seed", config.seed, "of weights, order and dropout")->capture_default_str();
  app.add_option("--precision", flags.precision, "fp32, tf32 or bf16, of matrix products")->capture_default_str();
  app.add_option("--threads", config.device.threads, "CPU threads, 0 = all cores")->capture_default_str();
  app.add_option("--kernel", config.device.kernels, "rungs to use, such as gemm=3; `info` lists them");
  app.add_option("--eval-every", config.eval_every, "epochs between evaluations, 0 = about twenty in a run")
      ->capture_default_str();
  app.add_option("--out", config.out, "run folder; default runs/<time>-<model>-<impl>");
  app.add_option("--resume", options.resume, "continue the run in this folder");
  app.add_option("--save-every", options.save_every, "epochs between checkpoints, 0 = at the end")
      ->capture_default_str();
  app.add_option("--log-interval", options.log_interval, "steps between progress lines")->capture_default_str();
  app.add_option("--config", "JSON file with flags by name, such as a run's config.json")->type_name("FILE");
  app.add_flag("--json", flags.json, "print the result as one JSON object, the last line of stdout");
  app.add_flag("--quiet", options.quiet, "print only errors and results");
  app.add_flag("--dry-run", options.dry_run, "stop before the first step; write nothing");
  app.footer(recipes_text());
}

template <class Value>
void override_with(const std::optional<Value>& flag, Value& setting) {
  if (flag) setting = *flag;
}

void resolve(Flags& flags) {
  RunConfig& config = flags.config;
  Recipe& training = config.training;
  training = find_recipe(find_model(config.model), config.recipe);
  override_with(flags.epochs, training.epochs);
  override_with(flags.batch_size, training.batch_size);
  override_with(flags.learning_rate, training.learning_rate);
  override_with(flags.weight_decay, training.weight_decay);
  override_with(flags.drop_last, training.drop_last);
  if (flags.optimizer) {
    training.optimizer = optimizer_from(*flags.optimizer);
    if (training.optimizer != OptimizerKind::sgd) training.momentum = 0;
  }
  override_with(flags.momentum, training.momentum);
  if (flags.schedule) training.schedule = parse_schedule(*flags.schedule);
  if (flags.precision == "tf32")
    config.device.precision = Precision::tf32;
  else if (flags.precision == "bf16")
    config.device.precision = Precision::bf16;
  else if (flags.precision != "fp32")
    throw UsageError("unknown precision '" + flags.precision + "': choose one of fp32, tf32, bf16");
}

int train(int argc, char** argv) {
  CLI::App app("Trains a network.", "train");
  Flags flags;
  add_flags(app, flags);
  if (!app::parse(app, argc, argv)) return app::kDone;
  resolve(flags);
  flags.options.stop = &app::interruption();

  const RunResult result = run_training(flags.config, flags.options);
  const nlohmann::json& summary = result.summary;
  if (flags.json) {
    fmt::print("{}\n", summary.dump());
  } else if (flags.options.dry_run) {
    fmt::print("dry run: the settings are good; nothing was trained\n");
  } else {
    fmt::print("test accuracy {:.2f} %  test loss {:.4f}  {:.3g} s an epoch  {}\n",
               100 * summary["test_accuracy"].get<double>(), summary["test_loss"].get<double>(),
               summary["seconds_per_epoch"].get<double>(), summary["run_dir"].get<std::string>());
  }
  return result.interrupted ? app::kInterrupted : app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("train", [&] { return cairn::train(argc, argv); });
}
