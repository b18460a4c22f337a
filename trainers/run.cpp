#include "trainers/run.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "datasets/word_index.h"
#include "framework/error.h"
#include "framework/message.h"
#include "trainers/fused_steps.h"
#include "trainers/median.h"
#include "trainers/progress.h"
#include "trainers/run_data.h"
#include "trainers/run_folder.h"
#include "trainers/run_log.h"
#include "trainers/run_parts.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

// What is to be trained, from where.
struct Plan {
  RunConfig config;  // of the whole run, as config.json is to have it
  std::optional<std::vector<HostTensor>> checkpoint;
  int64_t steps = 0;        // of the checkpoint
  bool changed = false;     // it goes on with other settings than it had
  bool other_data = false;  // and with other data
};

// Of the process on the CPU, of the device's memory on a GPU.
size_t peak_memory_bytes(const Device& device) {
  if (device.where() == Where::cuda) return device.memory().peak;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

void save_result(const RunFolder& folder, Trainer& trainer) {
  try {
    folder.save_model(trainer.model());
    if (trainer.average()) trainer.with_average([&] { folder.save_average(trainer.model()); });
  } catch (const IoError& error) {
    throw RunError(std::string("the training is done but its weights are lost: ") + error.what());
  }
}

Plan plan_new_run(RunConfig config, const RunOptions& options, RunResources& resources) {
  if (options.dataset_asked) config.data_sha256.clear();
  resources.settle_device(config);
  if (config.earlier.empty() || config.data_sha256.empty()) resources.settle(config);
  return {std::move(config), {}};
}

// What the folder's record says, and what was asked to be another way from its checkpoint on.
Plan plan_resumed_run(RunConfig config, const RunOptions& options, RunResources& resources) {
  const fs::path folder = options.resume;
  Plan plan;
  plan.checkpoint = RunFolder::read_checkpoint(folder);
  if (plan.checkpoint) plan.steps = steps_of(*plan.checkpoint, RunFolder::checkpoint_name(folder));
  resources.settle_device(config);
  RunConfig record = RunFolder::read_config(folder).value_or(config);
  if (config.dataset != record.dataset && !options.dataset_asked)
    throw UsageError(fmt::format("the run in {} was trained on {}, not on {}: --dataset {} goes on with that",
                                 options.resume, record.dataset, config.dataset, config.dataset));
  config.data_sha256 = options.dataset_asked ? "" : record.data_sha256;
  if (config.data_sha256.empty()) resources.settle(config);
  if (record.data_sha256.empty()) record.data_sha256 = config.data_sha256;  // of an older Cairn
  plan.other_data = record.data_sha256 != config.data_sha256;
  if (plan.other_data)
    say(fmt::format("{}: trained on {} so far, and now on other examples: {}", options.resume, record.dataset,
                    config.dataset));
  plan.config = continued(record, config, plan.steps, options.resume);
  plan.changed = to_json(plan.config) != to_json(record);
  return plan;
}

// Whether the checkpoint is the run's end.
bool is_finished(const Plan& plan, const Trainer& trainer, const RunPart& part, const RunOptions& options) {
  const bool last = part.end == RunPart{}.end;
  if (!last || !plan.checkpoint || plan.steps < trainer.total_steps()) return false;
  if (plan.changed && plan.steps > trainer.total_steps())
    throw UsageError(fmt::format(
        "the run in {} has done {} steps, more than the {} that --epochs and --steps now allow: name more of them",
        options.resume, plan.steps, trainer.total_steps()));
  if (!options.quiet)
    say(fmt::format("{}: is finished: all of its {} steps are done; {} makes it longer", options.resume, plan.steps,
                    part.config.training.steps > 0 ? "a higher --steps" : "a higher --epochs"));
  return true;
}

void tell_continuation(const Plan& plan, const Trainer& trainer, const RunOptions& options) {
  if (options.quiet || options.resume.empty()) return;
  say(options.resume + ": " +
      (plan.checkpoint
           ? fmt::format("continuing after step {} (epoch {})", plan.steps, plan.steps / trainer.steps_per_epoch() + 1)
           : "there is no checkpoint yet: starting at the beginning"));
}

// Whether the run is to go on in another folder than it began in, which stays as it is.
bool leaves_folder(const RunConfig& config, const RunOptions& options) {
  std::error_code error;  // one that is not there yet is another
  return options.resume.empty() || (!config.out.empty() && !fs::equivalent(config.out, options.resume, error));
}

// The run's folder, ready for what comes after the checkpoint. held: the folder of a run that goes on in it.
// resources: of the trainer.
RunFolder prepare_folder(std::optional<RunFolder> held, const Plan& plan, const Trainer& trainer,
                         const RunResources& resources, const RunOptions& options) {
  RunFolder folder = held ? std::move(*held) : RunFolder::create(plan.config.out, plan.config);
  if (!held && !options.resume.empty()) folder.copy_from(options.resume);
  if (!options.resume.empty()) {
    const int64_t epochs = plan.steps / trainer.steps_per_epoch();
    // A last epoch that was cut short is done, unless the run is now to be longer.
    const bool ended = plan.steps >= trainer.total_steps() && plan.steps % trainer.steps_per_epoch() != 0;
    folder.truncate_metrics(ended ? epochs + 1 : epochs);
  }
  folder.write_config(to_json(plan.config));
  folder.write_classes(resources.class_lines());
  const datasets::WordIndex* const words = resources.words();
  // Without its index the same data have the words that the folder says.
  if (words != nullptr || plan.other_data)
    folder.write_words(words ? words->lines(plan.config.training.text.known_words()) : "");
  return folder;
}

// The trainer of a part; weights that a checkpoint will replace are not read.
std::unique_ptr<Trainer> trainer_of(RunConfig config, bool from_checkpoint, RunResources& resources) {
  if (from_checkpoint) config.weights.clear();
  return resources.trainer(config);
}

// Trains to the end of the part. False: interrupted.
bool train_part(Trainer& trainer, const RunPart& part, RunLog& log, const RunOptions& options,
                const std::atomic<bool>& stop) {
  const std::optional<double> seconds = trainer.compute_features(stop);
  if (seconds && !options.quiet) say(fmt::format("features of all images, once: {:.3g} s", *seconds));
  log.begin_part(trainer, part);
  while (trainer.steps_done() < std::min(part.end, trainer.total_steps())) {
    const EpochResult epoch = trainer.run_epoch(log.hooks(), stop);
    const bool last = part.end == RunPart{}.end;
    const bool goes_on = epoch.steps == part.end && epoch.steps % trainer.steps_per_epoch() != 0;
    const bool interrupted = epoch.interrupted || (stop && (!last || epoch.steps < trainer.total_steps()));
    log.end_epoch(epoch, interrupted, goes_on);
    if (interrupted) return false;
  }
  return true;
}

nlohmann::json identity(const RunConfig& config, const Device& device) {
  return {{"model", config.model},
          {"recipe", config.recipe},
          {"dataset", config.dataset},
          {"impl", device.implementation()},
          {"device", name_of(device.where())},
          {"precision", name_of(config.device.precision)},
          {"threads", device.threads()},
          {"seed", config.seed}};
}

nlohmann::json summary_of(const RunConfig& config, const Device& device, Trainer& trainer,
                          const std::optional<Evaluation>& evaluation, const nlohmann::json& figures) {
  nlohmann::json summary = identity(config, device);
  summary.update(figures);
  summary.update({{"epochs", trainer.steps_done() / trainer.steps_per_epoch()},
                  {"steps", trainer.steps_done()},
                  {"test_loss", evaluation ? nlohmann::json(evaluation->loss) : nlohmann::json()},
                  {"test_accuracy", evaluation ? nlohmann::json(evaluation->accuracy) : nlohmann::json()},
                  {"peak_memory_bytes", peak_memory_bytes(device)},
                  {"run_dir", nullptr}});
  if (evaluation && evaluation->top5) summary["test_top5_accuracy"] = *evaluation->top5;
  return summary;
}

const nlohmann::json kNothingTrained = {
    {"train_loss", nullptr}, {"train_seconds", 0.0}, {"seconds_per_epoch", 0.0}, {"images_per_second", 0.0}};

// Of a run that was trained before.
RunResult finished_result(const std::optional<RunFolder>& folder, Trainer& trainer, const RunConfig& config,
                          const RunResources& resources, const RunOptions& options) {
  // Killed before the last of its files was written, it gets that now.
  if (folder && !RunFolder::holds_model(folder->path(), trainer)) save_result(*folder, trainer);
  RunResult result{summary_of(config, resources.device(), trainer, trainer.evaluate(), kNothingTrained), false};
  result.summary["run_dir"] = options.resume;
  return result;
}

// Trains from this part, whose trainer is at its place, to the end of the last one.
RunResult train_parts(const RunPart& first, const RunPart& last, std::unique_ptr<Trainer> trainer, RunLog& log,
                      RunResources& resources, const RunOptions& options) {
  static const std::atomic<bool> never{false};
  const std::atomic<bool>& stop = options.stop ? *options.stop : never;
  RunResult result;
  const RunPart* part = &first;
  for (;; ++part) {
    result.interrupted = !train_part(*trainer, *part, log, options, stop);
    if (result.interrupted || part == &last) break;
    const std::vector<HostTensor> end = checkpoint_of(*trainer, log.state());
    trainer = trainer_of((part + 1)->config, true, resources);
    if (!options.quiet)
      say("step " + std::to_string(part->end) + ": other settings from here on\n" + resources.banner());
    restore(*trainer, end, "the run's earlier part");
  }
  save_result(log.folder(), *trainer);
  result.summary = summary_of(part->config, resources.device(), *trainer,
                              log.evaluation() ? log.evaluation() : trainer->evaluate(), log.figures());
  result.summary["run_dir"] = log.folder().path().string();
  return result;
}

}  // namespace

RunResult run_training(RunConfig config, const RunOptions& options) {
  check_config(config);
  std::optional<RunFolder> held;
  if (!options.dry_run && !leaves_folder(config, options)) held.emplace(RunFolder::reopen(options.resume));
  RunResources resources(options);
  const Plan plan = options.resume.empty() ? plan_new_run(std::move(config), options, resources)
                                           : plan_resumed_run(std::move(config), options, resources);
  const std::vector<RunPart> parts = parts_of(plan.config);
  const RunPart& part = part_after(parts, plan.steps);
  std::unique_ptr<Trainer> trainer = trainer_of(part.config, plan.checkpoint.has_value(), resources);
  RunState state;
  if (plan.checkpoint) state = restore(*trainer, *plan.checkpoint, RunFolder::checkpoint_name(options.resume));

  if (is_finished(plan, *trainer, part, options))
    return finished_result(held, *trainer, part.config, resources, options);
  if (!options.quiet) say(resources.banner());
  if (options.dry_run) return {summary_of(part.config, resources.device(), *trainer, {}, kNothingTrained), false};
  // Last, so that settings which cannot be leave nothing behind.
  const RunFolder folder = prepare_folder(std::move(held), plan, *trainer, resources, options);
  tell_continuation(plan, *trainer, options);
  RunLog log(folder, plan.config, state, options);
  return train_parts(part, parts.back(), std::move(trainer), log, resources, options);
}

}  // namespace cairn
