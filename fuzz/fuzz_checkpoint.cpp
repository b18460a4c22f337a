// A checkpoint put into a trainer, which then takes a step if the checkpoint was good.
#include "framework/nn/layers.h"
#include "fuzz/fuzz.h"
#include "trainers/checkpoint.h"

namespace cairn {
namespace {

// Small enough for a checkpoint of a few hundred bytes.
std::shared_ptr<Module> build(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> layers = {
      {"flatten", std::make_shared<Flatten>()}, {"fc", std::make_shared<Linear>(device, 4, 2, initializer, dtype)}};
  return std::make_shared<Sequential>(std::move(layers));
}

Trainer make_trainer() {
  const ModelInfo model = {"tiny", "", Shape{1, 2, 2}, 2, build, {}};
  RunConfig config;
  config.training.batch_size = 2;
  config.training.momentum = 0.9;
  config.training.normalization = Normalization::unit;
  datasets::Dataset data;
  data.classes = 2;
  datasets::Bytes pixels;
  for (uint8_t i = 0; i < 24; ++i) pixels.push_back(i * 9);
  data.train = data.test = datasets::image_split({1, 2, 2}, pixels, std::vector<int32_t>{0, 1, 0, 1, 0, 1});
  data.mean = {0};
  data.std = {1};
  DeviceOptions options;
  options.implementation = "reference";
  options.threads = 1;
  const std::shared_ptr<Device> device = Device::open(options);
  return Trainer(device, model, config, upload(device, data, model, config.training, 1));
}

}  // namespace
}  // namespace cairn

void cairn::fuzz::run(std::span<const uint8_t> input) {
  static const std::atomic<bool> never{false};
  static Trainer trainer = make_trainer();
  restore(trainer, parse_safetensors(std::as_bytes(input), "file"), "file");
  trainer.run_epoch({}, never);
}
