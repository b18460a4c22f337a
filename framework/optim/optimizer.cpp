#include "framework/optim/optimizer.h"

#include "framework/error.h"

namespace cairn {

StepClock::StepClock(const std::shared_ptr<Device>& device, int64_t capacity)
    : step_(Tensor::zeros(device, {}, DType::i64)), rates_(Tensor::zeros(device, {capacity}, DType::f32)) {
  if (capacity < 1) throw UsageError("a step clock needs room for at least one learning rate");
}

void StepClock::set_rates(std::span<const float> rates) {
  rates_.set(rates);
}

void StepClock::set_step(int64_t step) {
  step_.set(std::span<const int64_t>(&step, 1));
}

int64_t StepClock::read_step() const {
  return step_.to_host<int64_t>()[0];
}

Optimizer::Optimizer(std::vector<NamedTensor> parameters, double weight_decay)
    : parameters_(std::move(parameters)), weight_decays_(parameters_.size(), weight_decay) {
  if (parameters_.empty()) throw UsageError("an optimizer needs at least one parameter");
  const NamedTensor& first = parameters_[0];
  for (const auto& [name, parameter] : parameters_)
    if (parameter.dtype() != first.tensor.dtype() || parameter.device() != first.tensor.device())
      throw ShapeError("optimizer: parameters must have one dtype and live on one device; " + first.name + " and " +
                       name + " do not");
}

void Optimizer::set_weight_decay(const std::function<double(const NamedTensor&)>& rule) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    weight_decays_[i] = rule(parameters_[i]);
    if (!(weight_decays_[i] >= 0))
      throw UsageError("optimizer: the weight decay of " + parameters_[i].name + " must be 0 or more, not " +
                       std::to_string(weight_decays_[i]));
  }
}

void Optimizer::set_max_norm(double max_norm) {
  if (!(max_norm >= 0))
    throw UsageError("optimizer: the largest norm of the gradients must be more than 0, or 0 for none, not " +
                     std::to_string(max_norm));
  max_norm_ = max_norm;
  if (max_norm_ > 0 && !factor_.defined()) factor_ = Tensor::empty(parameters_[0].tensor.device(), {1});
}

const float* Optimizer::gradient_factor() {
  if (max_norm_ == 0) return nullptr;
  const Tensor& first = parameters_[0].tensor;
  first.device()->call(&Backend::clip_gradients, ClipGradientsArgs{.dtype = first.dtype(),
                                                                   .tensors = table_.data(),
                                                                   .tensor_count = static_cast<int64_t>(table_.size()),
                                                                   .max_norm = max_norm_,
                                                                   .factor = factor_.data<float>()});
  return factor_.data<float>();
}

void Optimizer::clear_grads() {
  for (NamedTensor& parameter : parameters_) parameter.tensor.clear_grad();
}

std::vector<Tensor> Optimizer::make_state(const char* suffix) {
  std::vector<Tensor> tensors;
  for (const auto& [name, parameter] : parameters_) {
    tensors.push_back(Tensor::zeros(parameter.device(), parameter.shape(), parameter.dtype()));
    state_.push_back({name + "." + suffix, tensors.back()});
  }
  return tensors;
}

const std::vector<OptimizerTensor>& Optimizer::table(const std::vector<Tensor>& state1,
                                                     const std::vector<Tensor>& state2) {
  table_.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, parameter] = parameters_[i];
    const Tensor gradient = parameter.grad();
    if (!gradient.defined()) throw Error("optimizer: parameter " + name + " has no gradient; call backward() first");
    table_[i] = {.parameter = parameter.data(),
                 .gradient = gradient.data(),
                 .state1 = state1.empty() ? nullptr : state1[i].data(),
                 .state2 = state2.empty() ? nullptr : state2[i].data(),
                 .count = parameter.count(),
                 .weight_decay = weight_decays_[i]};
  }
  return table_;
}

Sgd::Sgd(std::vector<NamedTensor> parameters, double momentum, double weight_decay)
    : Optimizer(std::move(parameters), weight_decay), momentum_(momentum) {
  if (momentum_ != 0) velocity_ = make_state("momentum");
}

void Sgd::step(const StepClock& clock) {
  const std::vector<OptimizerTensor>& tensors = table(velocity_, {});
  const Tensor& first = parameters_[0].tensor;
  const float* factor = gradient_factor();
  first.device()->call(&Backend::sgd, SgdArgs{.dtype = first.dtype(),
                                              .tensors = tensors.data(),
                                              .tensor_count = static_cast<int64_t>(tensors.size()),
                                              .gradient_factor = factor,
                                              .learning_rates = clock.rates().data<float>(),
                                              .learning_rate_count = clock.rates().count(),
                                              .step = clock.step().data<int64_t>(),
                                              .momentum = momentum_});
}

Adam::Adam(std::vector<NamedTensor> parameters, const Options& options)
    : Optimizer(std::move(parameters), options.weight_decay), options_(options) {
  moment1_ = make_state("moment1");
  moment2_ = make_state("moment2");
}

void Adam::step(const StepClock& clock) {
  const std::vector<OptimizerTensor>& tensors = table(moment1_, moment2_);
  const Tensor& first = parameters_[0].tensor;
  const float* factor = gradient_factor();
  first.device()->call(&Backend::adam, AdamArgs{.dtype = first.dtype(),
                                                .tensors = tensors.data(),
                                                .tensor_count = static_cast<int64_t>(tensors.size()),
                                                .gradient_factor = factor,
                                                .learning_rates = clock.rates().data<float>(),
                                                .learning_rate_count = clock.rates().count(),
                                                .step = clock.step().data<int64_t>(),
                                                .beta1 = options_.beta1,
                                                .beta2 = options_.beta2,
                                                .epsilon = options_.epsilon,
                                                .decoupled = options_.decoupled});
}

}  // namespace cairn
