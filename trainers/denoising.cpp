#include "trainers/denoising.h"

#include "framework/autograd.h"
#include "framework/error.h"
#include "trainers/trainer.h"

namespace cairn {
namespace {

// Throws UsageError for what the filters cannot be trained on.
const Recipe& checked(const ModelInfo& filter, const Recipe& recipe, const DeviceSplit& train) {
  if (const int64_t channels = train.column(datasets::kImage).shape()[1]; channels != filter.input[0])
    throw UsageError("filter " + filter.name + " takes images with channels: " + std::to_string(filter.input[0]) +
                     ", not " + std::to_string(channels));
  if (recipe.batch_size < 1 || recipe.batch_size > train.count)
    throw UsageError("--batch-size must be between 1 and the " + std::to_string(train.count) +
                     " training images, not " + std::to_string(recipe.batch_size));
  return recipe;
}

}  // namespace

Denoising::Denoising(const std::shared_ptr<Device>& device, const ModelInfo& filter, const Recipe& recipe,
                     const DenoisingSettings& settings, DeviceData data)
    : data_(std::move(data)),
      loop_(device, data_.train.count, checked(filter, recipe, data_.train), settings.seed),
      task_(data_, settings.deviation, loop_, settings.seed) {
  Initializer initializer(recipe.init, settings.seed);
  model_ = filter.build(device, initializer, DType::f32);
  if (recipe.epochs > 0) optimizer_ = make_optimizer(recipe, model_->parameters());
  loop_.set_step([this](const Batch& batch) {
    const Tensor loss = task_.loss(*model_, batch);
    optimizer_->clear_grads();
    backward(loss);
    optimizer_->step(loop_.clock());
    return loss;
  });
}

EpochResult Denoising::run_epoch(const std::atomic<bool>& stop) {
  model_->train();
  return loop_.run_epoch({}, stop);
}

}  // namespace cairn
