#include "trainers/run.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "datasets/dataset.h"
#include "framework/error.h"
#include "framework/message.h"
#include "trainers/fused_steps.h"
#include "trainers/median.h"
#include "trainers/progress.h"
#include "trainers/run_folder.h"
#include "trainers/tensorboard.h"

namespace cairn {
namespace {

// MNIST if it is to be had and nothing else was asked for; the generated digits otherwise.
datasets::Dataset load_data(RunConfig& config, const RunOptions& options) {
  datasets::LoadOptions load;
  load.quiet = options.quiet;
  load.check_hash = config.check_hash;
  load.stop = options.stop;
  if (!config.dataset.empty()) return datasets::load_dataset(config.dataset, config.data_dir, load);
  try {
    config.dataset = "mnist";
    return datasets::load_dataset(config.dataset, config.data_dir, load);
  } catch (const datasets::MissingDataError& missing) {
    if (!options.quiet) say(fmt::format("{}\ntraining on the generated data set 'digits' instead", missing.what()));
    config.dataset = "digits";
    return datasets::load_dataset(config.dataset, config.data_dir, load);
  }
}

// "gemm ... from vanilla": only the primitives that another implementation stands in for. Nothing calls sgd_steps
// unless it was asked for.
std::string fallback_text(const Device& device, const std::string& kernels) {
  std::string text;
  for (size_t i = 0; i < kPrimitiveCount; ++i) {
    if (std::strcmp(kPrimitives[i], "sgd_steps") == 0 && !FusedSteps::asked_for(kernels)) continue;
    if (!device.origins()[i].empty() && device.origins()[i] != device.implementation())
      text += (text.empty() ? "" : ", ") + std::string(kPrimitives[i]) + " (" + device.origins()[i] + ")";
  }
  return text;
}

void print_banner(const RunConfig& config, const Device& device, const datasets::Dataset& data) {
  const Recipe& training = config.training;
  say(fmt::format("model {} (recipe {})  data set {}: {} training and {} test images ({})", config.model, config.recipe,
                  data.name, data.train.count, data.test.count, data.source));
  say(fmt::format("{}: {}", device.label(), device.description()));
  if (const std::string others = fallback_text(device, config.device.kernels); !others.empty())
    say(fmt::format("primitives from elsewhere: {}", others));
  say(fmt::format("{} lr {:g}, schedule {}, batch {}{}, {}, seed {}", name_of(training.optimizer),
                  training.learning_rate, text_of(training.schedule),
                  training.batch_size ? std::to_string(training.batch_size) : "full",
                  training.shuffle ? "" : " in stored order", length_of(training), config.seed));
}

// Of the process on the CPU, of the device's memory on a GPU.
size_t peak_memory_bytes(const Device& device) {
  if (device.where() == Where::cuda) return device.memory().peak;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

nlohmann::json metrics_line(const EpochResult& epoch, const std::optional<Evaluation>& evaluation) {
  nlohmann::json line = {{"epoch", epoch.epoch},
                         {"steps", epoch.steps},
                         {"train_loss", epoch.train_loss},
                         {"lr", epoch.learning_rate},
                         {"train_seconds", epoch.train_seconds},
                         {"images_per_second", epoch.images_per_second}};
  if (evaluation) line.update({{"test_loss", evaluation->loss}, {"test_accuracy", evaluation->accuracy}});
  return line;
}

// Saving on the way: a disk that is full while training goes on is no reason to throw the training away. It is said
// once, and again only if a write succeeded in between.
class SaveAttempts {
 public:
  template <class Save>
  void operator()(const Save& save) {
    try {
      save();
      failing_ = false;
    } catch (const IoError& error) {
      if (!failing_) say(fmt::format("train: {}; training goes on", error.what()));
      failing_ = true;
    }
  }

 private:
  bool failing_ = false;
};

void save_result(const RunFolder& folder, const Module& model) {
  try {
    folder.save_model(model);
  } catch (const IoError& error) {
    throw RunError(std::string("the training is done but its weights are lost: ") + error.what());
  }
}

RunState continue_run(const RunFolder& folder, Trainer& trainer, const RunOptions& options) {
  const std::optional<RunState> state = folder.load_checkpoint(trainer);
  const int64_t steps = trainer.steps_done(), epochs = steps / trainer.steps_per_epoch();
  // A last epoch that was cut short is done, unless the run is now to be longer.
  const bool ended = steps >= trainer.total_steps() && steps % trainer.steps_per_epoch() != 0;
  if (!options.dry_run) folder.truncate_metrics(ended ? epochs + 1 : epochs);
  if (!options.quiet)
    say(fmt::format("{}: {}", folder.path().string(),
                    state ? fmt::format("continuing after step {} (epoch {})", steps, epochs + 1)
                          : "there is no checkpoint yet: starting at the beginning"));
  return state.value_or(RunState{});
}

}  // namespace

RunResult run_training(RunConfig config, const RunOptions& options) {
  static const std::atomic<bool> never{false};
  const std::atomic<bool>& stop = options.stop ? *options.stop : never;

  check_config(config);
  const ModelInfo& model = find_model(config.model);
  const std::shared_ptr<Device> device = Device::open(config.device);
  config.device.where = name_of(device->where());
  datasets::Dataset dataset = load_data(config, options);
  if (!options.quiet) print_banner(config, *device, dataset);

  DeviceData data = upload(device, std::move(dataset), model, config.training.normalization,
                           config.training.validation_count, config.seed);
  Trainer trainer(device, model, config, std::move(data));
  RunState state;
  // Last, so that settings which cannot be leave nothing behind.
  std::optional<RunFolder> folder;
  if (!options.resume.empty()) {
    folder.emplace(RunFolder::reopen(options.resume));
    state = continue_run(*folder, trainer, options);
  } else if (!options.dry_run) {
    folder.emplace(RunFolder::create(config.out, config));
    folder->write_config(to_json(config));
  }

  const int64_t steps_per_epoch = trainer.steps_per_epoch();
  const int64_t epochs = (trainer.total_steps() + steps_per_epoch - 1) / steps_per_epoch;
  const int64_t eval_every = config.eval_every > 0 ? config.eval_every : std::max<int64_t>(1, epochs / 20);
  const nlohmann::json identity = {{"model", config.model},         {"recipe", config.recipe},
                                   {"dataset", config.dataset},     {"impl", device->implementation()},
                                   {"device", config.device.where}, {"precision", to_json(config)["precision"]},
                                   {"threads", device->threads()},  {"seed", config.seed}};
  RunResult run{identity, false};
  ProgressDisplay display(options.quiet, trainer.total_steps(), steps_per_epoch);
  std::vector<double> epoch_seconds;
  double train_seconds = 0;
  EpochResult last;
  std::optional<Evaluation> evaluation;
  SaveAttempts attempt;
  std::optional<TensorBoardLog> events;
  if (folder && config.tensorboard) events.emplace(folder->path());
  const auto save_checkpoint = [&] { attempt([&] { folder->save_checkpoint(trainer, state); }); };
  while (!options.dry_run && !run.interrupted && trainer.steps_done() < trainer.total_steps()) {
    const int64_t before = trainer.steps_done(), epoch = before / steps_per_epoch + 1;
    Trainer::Hooks hooks;
    hooks.progress_interval = display.interval(options.log_interval);
    hooks.progress = [&](int64_t done, double loss) { display.step(epoch, done, loss); };
    hooks.save_interval = config.save_steps;
    hooks.save = save_checkpoint;
    last = trainer.run_epoch(hooks, stop);
    train_seconds += last.train_seconds;
    run.interrupted = last.interrupted || (stop && epoch < epochs);
    if (!last.interrupted)  // of a whole epoch, also where only a part of it was run
      epoch_seconds.push_back(last.train_seconds * static_cast<double>(steps_per_epoch) /
                              static_cast<double>(last.steps - before));

    evaluation.reset();
    if (!run.interrupted && (epoch % eval_every == 0 || epoch == epochs)) evaluation = trainer.evaluate();
    display.epoch(last, evaluation);
    if (!last.interrupted) attempt([&] { folder->append_metrics(metrics_line(last, evaluation)); });
    if (events) attempt([&] { events->append(last, trainer.losses(), evaluation, trainer.model()); });
    if (evaluation && evaluation->accuracy > state.best_accuracy) {
      state.best_accuracy = evaluation->accuracy;
      attempt([&] { folder->save_best(trainer.model(), epoch, evaluation->accuracy); });
    }
    if (run.interrupted || (config.save_every > 0 && epoch % config.save_every == 0) || epoch == epochs)
      save_checkpoint();
  }
  if (!options.dry_run) {
    save_result(*folder, trainer.model());
    if (!evaluation) evaluation = trainer.evaluate();
  }

  run.summary.update({{"epochs", trainer.steps_done() / steps_per_epoch},
                      {"steps", trainer.steps_done()},
                      {"train_loss", last.steps > 0 ? nlohmann::json(last.train_loss) : nlohmann::json()},
                      {"test_loss", evaluation ? nlohmann::json(evaluation->loss) : nlohmann::json()},
                      {"test_accuracy", evaluation ? nlohmann::json(evaluation->accuracy) : nlohmann::json()},
                      {"train_seconds", train_seconds},
                      {"seconds_per_epoch", median(epoch_seconds)},
                      {"images_per_second", last.images_per_second},
                      {"peak_memory_bytes", peak_memory_bytes(*device)},
                      {"run_dir", folder ? nlohmann::json(folder->path().string()) : nlohmann::json()}});
  return run;
}

}  // namespace cairn
