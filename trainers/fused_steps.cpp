#include "trainers/fused_steps.h"

#include "framework/error.h"
#include "kernels/rungs.h"

namespace cairn {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw UsageError("--kernel sgd_steps trains " + reason);
}

// Null where there is none: SGD without momentum has no velocities.
void* find(const std::vector<NamedTensor>& tensors, const std::string& name) {
  for (const NamedTensor& each : tensors)
    if (each.name == name) return each.tensor.data();
  return nullptr;
}

// The network's linear layers from first to last, if it is flatten - linear - relu - linear ... linear.
std::vector<LinearLayer> linear_stack(const ModelInfo& model, const FusedSteps::Parts& parts) {
  std::vector<LayerSummary> summary;
  parts.network.summarize(model.input, "", summary);
  const std::vector<NamedTensor> parameters = parts.network.parameters(), states = parts.optimizer.state();
  std::vector<LinearLayer> layers;
  bool linear_next = true;
  int64_t in = model.input.count();
  for (const LayerSummary& layer : summary) {
    if (layers.empty() && layer.type == "Flatten") continue;
    if (layer.type != (linear_next ? "Linear" : "ReLU"))
      refuse("linear layers with a ReLU between each two; model " + model.name + " has " + layer.type + " " +
             layer.name + (linear_next ? "" : " after a linear layer"));
    if (linear_next)
      layers.push_back({in, layer.output.count(), find(parameters, layer.name + ".weight"),
                        find(parameters, layer.name + ".bias"), find(states, layer.name + ".weight.momentum"),
                        find(states, layer.name + ".bias.momentum")});
    linear_next = !linear_next;
    in = layer.output.count();
  }
  if (layers.empty() || linear_next) refuse("networks that end in a linear layer; model " + model.name + " does not");
  return layers;
}

}  // namespace

bool FusedSteps::asked_for(const std::string& kernels) {
  return Rungs(kernels.c_str()).all().contains("sgd_steps");
}

FusedSteps::FusedSteps(const ModelInfo& model, const Recipe& recipe, const Parts& parts) {
  if (recipe.optimizer != OptimizerKind::sgd)
    refuse(std::string("with SGD, not ") + name_of(recipe.optimizer) + ": --optimizer sgd");
  if (recipe.batch_size == 0) refuse("on mini-batches, not on the full batch: --batch-size 64");
  if (parts.data.train.streamed) refuse("on images that lie on the device, not streamed ones");
  if (recipe.augmentation.any() || !parts.data.pixels.is_uniform())
    refuse("on images as they are stored, all channels scaled alike");
  if (recipe.label_smoothing > 0 || recipe.clip_norm > 0 || recipe.average > 0 || !recipe.decay_on.empty())
    refuse("by plain SGD, without --label-smoothing, --clip-norm, --average and --decay-on");
  layers_ = linear_stack(model, parts);
  const Tensor first = parts.network.parameters().front().tensor;
  device_ = first.device();
  args_ = {.dtype = first.dtype(),
           .layers = layers_.data(),
           .layer_count = static_cast<int64_t>(layers_.size()),
           .images = parts.data.train.column(datasets::kImage).data<uint8_t>(),
           .labels = parts.data.train.column(datasets::kLabel).data<int32_t>(),
           .order = parts.order.data<int32_t>(),
           .order_count = parts.order.count(),
           .scale = parts.data.pixels.scale().front(),
           .shift = parts.data.pixels.shift().front(),
           .batch_size = recipe.batch_size,
           .steps_per_epoch = parts.history.count(),
           .steps = 1,
           .learning_rates = parts.clock.rates().data<float>(),
           .learning_rate_count = parts.clock.rates().count(),
           .history = parts.history.data<float>(),
           .history_capacity = parts.history.count(),
           .step = parts.clock.step().data<int64_t>(),
           .momentum = recipe.momentum,
           .weight_decay = recipe.weight_decay,
           .probe = 1};
  try {
    device_->call(&Backend::sgd_steps, args_);
  } catch (const DeviceError& error) {
    throw UsageError(error.what());
  }
  args_.probe = 0;
}

void FusedSteps::run(int64_t steps) {
  args_.steps = steps;
  device_->call(&Backend::sgd_steps, args_);
}

}  // namespace cairn
