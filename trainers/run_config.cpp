#include "trainers/run_config.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/error.h"

namespace cairn {
namespace {

void require(bool holds, const std::string& flag, const std::string& rule, double value) {
  if (holds) return;
  std::string text = std::to_string(value);
  if (std::isfinite(value) && value == std::floor(value)) text = std::to_string(static_cast<int64_t>(value));
  throw UsageError(flag + " must be " + rule + ", not " + text);
}

}  // namespace

const char* name_of(Precision precision) {
  return precision == Precision::tf32 ? "tf32" : precision == Precision::bf16 ? "bf16" : "fp32";
}

void check_device(const DeviceOptions& device) {
  require(device.threads >= 0 && device.threads <= 1024, "--threads", "between 0 and 1024", device.threads);
}

void check_config(const RunConfig& config) {
  const Recipe& training = config.training;
  const auto whole = [](int64_t value) { return static_cast<double>(value); };
  require(std::isfinite(training.learning_rate) && training.learning_rate > 0, "--lr", "a number above 0",
          training.learning_rate);
  require(training.momentum >= 0 && training.momentum < 1, "--momentum", "in [0, 1)", training.momentum);
  require(std::isfinite(training.weight_decay) && training.weight_decay >= 0, "--weight-decay", "0 or more",
          training.weight_decay);
  require(training.batch_size >= 0, "--batch-size", "a number of images, or 0 for the full batch",
          whole(training.batch_size));
  require(training.steps >= 0 && training.steps <= 1000000000, "--steps", "between 0 and 1000000000",
          whole(training.steps));
  const int64_t least_epochs = training.steps > 0 ? 0 : 1;
  require(training.epochs >= least_epochs && training.epochs <= 1000000, "--epochs",
          "between " + std::to_string(least_epochs) + " and 1000000", whole(training.epochs));
  require(config.eval_every >= 0, "--eval-every", "0 or more", whole(config.eval_every));
  require(config.save_every >= 0, "--save-every", "0 or more", whole(config.save_every));
  require(config.save_steps >= 0, "--save-steps", "0 or more", whole(config.save_steps));
  check_device(config.device);
  if (training.optimizer != OptimizerKind::sgd && training.momentum != 0)
    throw UsageError(std::string("--momentum is SGD's; ") + name_of(training.optimizer) + " has its own");
}

nlohmann::json to_json(const RunConfig& config) {
  const Recipe& training = config.training;
  return {{"model", config.model},
          {"recipe", config.recipe},
          {"dataset", config.dataset},
          {"data-dir", config.data_dir},
          {"check-hash", config.check_hash},
          {"impl", config.device.implementation},
          {"device", config.device.where},
          {"precision", name_of(config.device.precision)},
          {"threads", config.device.threads},
          {"kernel", config.device.kernels},
          {"autotune", config.device.autotune},
          {"seed", config.seed},
          {"epochs", training.epochs},
          {"steps", training.steps},
          {"shuffle", training.shuffle},
          {"batch-size", training.batch_size},
          {"lr", training.learning_rate},
          {"optimizer", name_of(training.optimizer)},
          {"momentum", training.momentum},
          {"weight-decay", training.weight_decay},
          {"schedule", text_of(training.schedule)},
          {"drop-last", training.drop_last},
          {"eval-every", config.eval_every},
          {"save-every", config.save_every},
          {"save-steps", config.save_steps},
          {"tensorboard", config.tensorboard}};
}

}  // namespace cairn
