#include "trainers/trainer.h"

#include <algorithm>

#include "framework/autograd.h"
#include "framework/error.h"
#include "models/transfer.h"
#include "trainers/features.h"
#include "trainers/fused_steps.h"
#include "trainers/stopwatch.h"
#include "trainers/weights.h"

namespace cairn {
namespace {

// The same network with its weights widened.
std::shared_ptr<Module> in_double(const ModelInfo& model, Module& narrow, const std::shared_ptr<Device>& device,
                                  Initializer initializer) {
  std::shared_ptr<Module> wide = model.build(device, initializer, DType::f64);
  const std::vector<NamedTensor> from = narrow.parameters(), to = wide->parameters();
  for (size_t i = 0; i < to.size(); ++i) {
    const std::vector<float> values = from[i].tensor.to_host<float>();
    Tensor(to[i].tensor).set(std::span<const double>(std::vector<double>(values.begin(), values.end())));
  }
  return wide;
}

// All before the head.
void freeze(const Module& network, const ModelInfo& info, Freeze what) {
  if (what != Freeze::nothing) split_network(network, info).backbone->freeze(what == Freeze::backbone);
}

std::shared_ptr<Module> build(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config,
                              DType real) {
  Initializer initializer(config.training.init, config.seed);
  const std::shared_ptr<Module> narrow = model.build(device, initializer, DType::f32);
  if (!config.weights.empty()) begin_with(*narrow, model, config.weights);
  const std::shared_ptr<Module> network =
      real == DType::f64 ? in_double(model, *narrow, device, Initializer(config.training.init, config.seed)) : narrow;
  freeze(*network, model, config.training.freeze);
  return network;
}

// Throws UsageError for a name that no parameter has.
void check_names(const std::string& names, const std::vector<NamedTensor>& parameters) {
  for (size_t begin = 0; begin <= names.size() && !names.empty();) {
    const size_t end = std::min(names.find(',', begin), names.size());
    const std::string name = names.substr(begin, end - begin);
    begin = end + 1;
    std::string all;
    bool found = false;
    for (const NamedTensor& parameter : parameters) {
      found |= parameter.name == name;
      all += (all.empty() ? "" : ", ") + parameter.name;
    }
    if (!found) throw UsageError("--decay-on: the network has no parameter '" + name + "'; it has " + all);
  }
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const Recipe& recipe, std::vector<NamedTensor> parameters) {
  check_names(recipe.decay_on, parameters);
  const auto decay_of = [recipe](const NamedTensor& parameter) {
    return decays(recipe, parameter.name) ? recipe.weight_decay : 0;
  };
  std::unique_ptr<Optimizer> optimizer;
  if (recipe.optimizer == OptimizerKind::sgd)
    optimizer = std::make_unique<Sgd>(std::move(parameters), recipe.momentum, recipe.weight_decay);
  else
    optimizer = std::make_unique<Adam>(
        std::move(parameters),
        Adam::Options{.weight_decay = recipe.weight_decay, .decoupled = recipe.optimizer == OptimizerKind::adamw});
  if (!recipe.decay_on.empty()) optimizer->set_weight_decay(decay_of);
  optimizer->set_max_norm(recipe.clip_norm);
  return optimizer;
}

Trainer::Trainer(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config,
                 DeviceData data, DType real)
    : info_(model),
      data_(std::move(data)),
      loop_(device, data_.train.count, config.training, config.seed),
      wants_features_(config.training.freeze == Freeze::backbone && !config.training.augmentation.any()),
      model_(build(device, model, config, real)),
      trained_(model_),
      optimizer_(make_optimizer(config.training, model_->parameters())),
      task_(data_, config.training, loop_, config.seed, real) {
  const Recipe& recipe = config.training;
  if (config.train_accuracy) hits_ = Tensor::zeros(device, {}, DType::i64);
  if (recipe.average > 0)
    average_ = std::make_unique<MovingAverage>(model_->parameters(), recipe.average, recipe.average_ramp);
  model_->set_dropout_source({config.seed, loop_.clock().step()});
  loop_.set_step([this](const Batch& batch) { return step(batch); });
  if (data_.train.streamed && !wants_features_) {
    if (recipe.batch_size == 0)
      throw UsageError("--batch-size 0: the training images are streamed, in batches: --batch-size 64");
    data_.train.streamed->prepare(loop_.batch_size());
    loop_.set_feed(*data_.train.streamed);
  }
  if (!FusedSteps::asked_for(config.device.kernels)) return;
  if (config.train_accuracy)
    throw UsageError(
        "--train-accuracy: sgd_steps keeps no outputs of the network that could be counted; leave out one of "
        "the two");
  fused_ = std::make_unique<FusedSteps>(
      model, recipe, FusedSteps::Parts{*model_, *optimizer_, loop_.clock(), data_, loop_.order(), loop_.history()});
  loop_.set_launch([this](int64_t steps) { fused_->run(steps); }, FusedSteps::kMostSteps);
}

Trainer::~Trainer() = default;

// Forward, backward and update of one batch.
Tensor Trainer::step(const Batch& batch) {
  const Tensor loss = task_.loss(*trained_, batch, hits_);
  optimizer_->clear_grads();
  backward(loss);
  optimizer_->step(loop_.clock());
  if (average_) average_->update(loop_.clock());
  return loss;
}

std::optional<double> Trainer::compute_features(const std::atomic<bool>& stop) {
  if (!wants_features_ || trained_ != model_) return {};
  const Stopwatch watch;
  const FeatureMaker maker(model_->state().front().tensor.device(), info_, *model_);
  for (DeviceSplit* split : {&data_.train, &data_.test})
    split->replace_images(maker.of(*split, SampleInput(data_.pixels, {}), 0, stop).rows);
  trained_ = split_network(*model_, info_).head;
  return watch.seconds();
}

EpochResult Trainer::run_epoch(const Hooks& hooks, const std::atomic<bool>& stop) {
  model_->train();
  const bool from_first = steps_done() % steps_per_epoch() == 0;
  if (hits_.defined()) hits_.device()->fill_zero(hits_.data(), sizeof(int64_t));
  EpochResult result = loop_.run_epoch(hooks, stop);
  if (hits_.defined() && from_first && result.rows > 0)
    result.train_accuracy = static_cast<double>(hits_.to_host<int64_t>()[0]) / static_cast<double>(result.rows);
  return result;
}

double Trainer::run_steps(int64_t steps) {
  model_->train();
  return loop_.run_steps(steps);
}

void Trainer::with_average(const std::function<void()>& use) {
  if (!average_) return use();
  const AveragesInPlace averaged(*average_);
  use();
}

Evaluation Trainer::evaluate() {
  Evaluation evaluation;
  with_average([&] { evaluation = task_.evaluate(*trained_); });
  return evaluation;
}

}  // namespace cairn
