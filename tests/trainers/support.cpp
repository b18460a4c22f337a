#include "tests/trainers/support.h"

#include <unistd.h>

#include <cstdlib>

#include "datasets/order.h"
#include "framework/safetensors.h"

namespace cairn::testing {
namespace {

datasets::Split first_images(const datasets::Split& set, int64_t count) {
  std::vector<int32_t> indices(static_cast<size_t>(std::min(count, set.count)));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<int32_t>(i);
  return datasets::subset(set, indices);
}

}  // namespace

std::shared_ptr<Device> open(const std::string& implementation) {
  DeviceOptions options;
  options.implementation = implementation;
  options.where = "cpu";
  options.threads = 2;
  return Device::open(options);
}

RunConfig config_for(const std::string& model, const std::string& recipe, const std::string& implementation,
                     int threads) {
  RunConfig config;
  config.model = model;
  config.recipe = recipe;
  config.device.implementation = implementation;
  config.device.where = "cpu";
  config.device.threads = threads;
  config.training = find_recipe(find_model(model), recipe);
  config.training.validation_count = 0;
  return config;
}

datasets::Dataset load(const std::string& name, int64_t count, int64_t test_count) {
  datasets::LoadOptions options;
  options.allow_download = false;
  options.quiet = true;
  datasets::Dataset dataset = datasets::load_dataset(name, {}, options);
  dataset.train = first_images(dataset.train, count);
  dataset.test = first_images(dataset.test, test_count);
  return dataset;
}

bool has_mnist() {
  return std::getenv("CAIRN_DATA") != nullptr;
}

Trainer make_trainer(const RunConfig& config, const datasets::Dataset& dataset) {
  const std::shared_ptr<Device> device = Device::open(config.device);
  const ModelInfo& model = find_model(config.model);
  return Trainer(device, model, config, upload(device, dataset, model, config.training, config.seed));
}

std::vector<float> first_losses(Trainer& trainer, int64_t steps) {
  std::vector<float> losses;
  while (static_cast<int64_t>(losses.size()) < steps) {
    trainer.run_epoch({}, kNever);
    losses.insert(losses.end(), trainer.losses().begin(), trainer.losses().end());
  }
  losses.resize(static_cast<size_t>(steps));
  return losses;
}

std::vector<std::byte> parameter_bytes(Trainer& trainer) {
  std::vector<std::byte> bytes;
  for (const HostTensor& tensor : to_host(trainer.model().parameters()))
    bytes.insert(bytes.end(), tensor.bytes.begin(), tensor.bytes.end());
  return bytes;
}

TemporaryFolder::TemporaryFolder()
    : path(std::filesystem::temp_directory_path() / ("cairn-run-" + std::to_string(getpid()))) {
  std::filesystem::remove_all(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

RunConfig short_run(const std::filesystem::path& out, int64_t epochs) {
  RunConfig config = config_for("linear", "default", "simd");
  config.dataset = "digits";
  config.training.epochs = epochs;
  config.training.batch_size = 500;
  config.training.schedule = {};
  config.training.momentum = 0.9;
  config.out = out.string();
  return config;
}

}  // namespace cairn::testing
