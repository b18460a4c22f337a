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

Optimizer::Optimizer(std::vector<NamedTensor> parameters) : parameters_(std::move(parameters)) {
  if (parameters_.empty()) throw UsageError("an optimizer needs at least one parameter");
  const NamedTensor& first = parameters_[0];
  for (const auto& [name, parameter] : parameters_)
    if (parameter.dtype() != first.tensor.dtype() || parameter.device() != first.tensor.device())
      throw ShapeError("optimizer: parameters must have one dtype and live on one device; " + first.name + " and " +
                       name + " do not");
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
    table_[i] = {parameter.data(), gradient.data(), state1.empty() ? nullptr : state1[i].data(),
                 state2.empty() ? nullptr : state2[i].data(), parameter.count()};
  }
  return table_;
}

Sgd::Sgd(std::vector<NamedTensor> parameters, double momentum, double weight_decay)
    : Optimizer(std::move(parameters)), momentum_(momentum), weight_decay_(weight_decay) {
  if (momentum_ != 0) velocity_ = make_state("momentum");
}

void Sgd::step(const StepClock& clock) {
  const std::vector<OptimizerTensor>& tensors = table(velocity_, {});
  const Tensor& first = parameters_[0].tensor;
  first.device()->call(&Backend::sgd, SgdArgs{first.dtype(), tensors.data(), static_cast<int64_t>(tensors.size()),
                                              clock.rates().data<float>(), clock.rates().count(),
                                              clock.step().data<int64_t>(), momentum_, weight_decay_});
}

Adam::Adam(std::vector<NamedTensor> parameters, const Options& options)
    : Optimizer(std::move(parameters)), options_(options) {
  moment1_ = make_state("moment1");
  moment2_ = make_state("moment2");
}

void Adam::step(const StepClock& clock) {
  const std::vector<OptimizerTensor>& tensors = table(moment1_, moment2_);
  const Tensor& first = parameters_[0].tensor;
  first.device()->call(&Backend::adam, AdamArgs{first.dtype(), tensors.data(), static_cast<int64_t>(tensors.size()),
                                                clock.rates().data<float>(), clock.rates().count(),
                                                clock.step().data<int64_t>(), options_.beta1, options_.beta2,
                                                options_.epsilon, options_.weight_decay, options_.decoupled});
}

}  // namespace cairn
