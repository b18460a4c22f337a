#include "trainers/run_data.h"

#include <fmt/format.h>

#include <cstring>
#include <future>
#include <tuple>

#include "datasets/sha256.h"
#include "datasets/stream.h"
#include "framework/error.h"
#include "framework/message.h"
#include "trainers/fused_steps.h"

namespace cairn {
namespace {

datasets::Dataset load_data(RunConfig& config, const RunOptions& options) {
  datasets::LoadOptions load;
  load.quiet = options.quiet;
  load.check_hash = config.check_hash;
  load.stop = options.stop;
  datasets::Dataset dataset =
      choose_dataset(config.dataset, network_input(find_model(config.model), config.training), config.data_dir, load);
  config.dataset = dataset.name;
  return dataset;
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

std::string banner_of(const RunConfig& config, const Device& device, const datasets::Dataset& data) {
  const Recipe& training = config.training;
  std::string text =
      fmt::format("model {} (recipe {})  data set {}: {} training and {} test {} ({})\n{}: {}\n", config.model,
                  config.recipe, data.name, data.train.count, data.test.count, examples_of(find_model(config.model)),
                  data.source, device.label(), device.description());
  if (const std::string others = fallback_text(device, config.device.kernels); !others.empty())
    text += "primitives from elsewhere: " + others + "\n";
  return text + fmt::format("{} lr {:g}, schedule {}, batch {}{}, {}, seed {}", name_of(training.optimizer),
                            training.learning_rate, text_of(training.schedule),
                            training.batch_size ? std::to_string(training.batch_size) : "full",
                            training.shuffle ? "" : " in stored order", length_of(training), config.seed);
}

auto device_key(const DeviceOptions& options) {
  return std::tie(options.implementation, options.where, options.threads, options.precision, options.kernels,
                  options.autotune);
}

std::string texts_sha256(const datasets::Texts& texts) {
  std::string text;
  for (const std::span<const uint8_t> part : bytes_of(texts)) text += datasets::sha256(part);
  return text;
}

auto data_key(const RunConfig& config) {
  return std::tie(config.dataset, config.data_dir, config.check_hash);
}

}  // namespace

std::string data_sha256(const datasets::Dataset& dataset) {
  std::vector<std::future<std::string>> parts;
  std::string text;
  for (const datasets::Split* split : {&dataset.train, &dataset.test}) {
    if (split->texts) {
      text += fmt::format("{} texts ", split->count);
      parts.push_back(std::async(std::launch::async, [split] { return texts_sha256(*split->texts); }));
    } else {
      const Shape image = image_shape(*split);
      text += fmt::format("{}x{}x{}x{} ", split->count, image[0], image[1], image[2]);
      parts.push_back(std::async(std::launch::async, [column = &split->column(datasets::kImage)] {
        return column->source ? column->source->fingerprint() : datasets::sha256(column->bytes);
      }));
    }
    parts.push_back(std::async(std::launch::async, [split] { return datasets::sha256(label_bytes(*split)); }));
  }
  for (std::future<std::string>& part : parts) text += part.get();
  return datasets::sha256(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

void RunResources::settle_device(RunConfig& config) {
  if (!device_ || device_key(device_options_) != device_key(config.device)) {
    device_ = Device::open(config.device);
    device_options_ = config.device;
    device_options_.where = name_of(device_->where());
  }
  config.device.where = device_options_.where;
}

void RunResources::settle(RunConfig& config) {
  settle_device(config);
  if (!dataset_ || data_key(loaded_) != data_key(config)) {
    dataset_.reset();
    dataset_ = load_data(config, options_);
    loaded_ = config;
    loaded_.data_sha256 = data_sha256(*dataset_);
    classes_ = dataset_->classes;
  }
  if (!config.data_sha256.empty() && config.data_sha256 != loaded_.data_sha256)
    throw DataError(
        fmt::format("{} ({}) holds other examples or labels than the run's settings have (sha256 {}, not {}): name the "
                    "right ones by "
                    "--data-dir, or take these by --dataset {}",
                    config.dataset, dataset_->source, loaded_.data_sha256.substr(0, 12),
                    config.data_sha256.substr(0, 12), config.dataset));
  config.data_sha256 = loaded_.data_sha256;
  if (classes_ > 0 && find_model(config.model).classes == 0) config.model += fmt::format(":{}", classes_);
}

std::unique_ptr<Trainer> RunResources::trainer(const RunConfig& config) {
  RunConfig settled = config;
  settle(settled);
  banner_ = banner_of(settled, *device_, *dataset_);
  const ModelInfo& model = find_model(settled.model);
  const std::optional<size_t> room = config.stream ? std::optional<size_t>(0) : std::nullopt;
  words_ = dataset_->words;
  class_lines_.clear();
  if (datasets::find_dataset(dataset_->name).class_names.empty())
    for (const std::string& name : dataset_->class_names) class_lines_ += name + "\n";
  DeviceData data = upload(device_, std::move(*dataset_), model, config.training, config.seed, room);
  dataset_.reset();
  return std::make_unique<Trainer>(device_, model, settled, std::move(data));
}

}  // namespace cairn
