#include "framework/optim/moving_average.h"

#include "framework/error.h"

namespace cairn {
namespace {

void copy(const Tensor& to, const Tensor& from) {
  to.device()->copy_on_device(to.data(), from.data(), bytes_of(from.shape(), from.dtype()));
}

}  // namespace

MovingAverage::MovingAverage(std::vector<NamedTensor> tensors, double decay, bool ramp)
    : tensors_(std::move(tensors)), decay_(decay), ramp_(ramp) {
  if (tensors_.empty()) throw UsageError("a moving average needs at least one tensor");
  if (!(decay >= 0 && decay < 1))
    throw UsageError("the decay of a moving average must be at least 0 and less than 1, not " + std::to_string(decay));
  const NamedTensor& first = tensors_[0];
  for (const auto& [name, tensor] : tensors_) {
    if (tensor.dtype() != first.tensor.dtype() || tensor.device() != first.tensor.device())
      throw ShapeError("moving average: tensors must have one dtype and live on one device; " + first.name + " and " +
                       name + " do not");
    averages_.push_back(Tensor::empty(tensor.device(), tensor.shape(), tensor.dtype(), "a moving average"));
    copy(averages_.back(), tensor);
    table_.push_back({.parameter = tensor.data(),
                      .gradient = nullptr,
                      .state1 = averages_.back().data(),
                      .state2 = nullptr,
                      .count = tensor.count(),
                      .weight_decay = 0});
  }
}

void MovingAverage::update(const StepClock& clock) {
  const Tensor& first = tensors_[0].tensor;
  first.device()->call(&Backend::moving_average, MovingAverageArgs{.dtype = first.dtype(),
                                                                   .tensors = table_.data(),
                                                                   .tensor_count = static_cast<int64_t>(table_.size()),
                                                                   .step = clock.step().data<int64_t>(),
                                                                   .decay = decay_,
                                                                   .ramp = ramp_});
}

void MovingAverage::swap() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& tensor = tensors_[i].tensor;
    const Tensor kept = Tensor::empty(tensor.device(), tensor.shape(), tensor.dtype(), "a swap with moving averages");
    copy(kept, tensor);
    copy(tensor, averages_[i]);
    copy(averages_[i], kept);
  }
  swapped_ = !swapped_;
}

std::vector<NamedTensor> MovingAverage::state() const {
  std::vector<NamedTensor> state;
  for (size_t i = 0; i < tensors_.size(); ++i) state.push_back({tensors_[i].name + ".average", averages_[i]});
  return state;
}

}  // namespace cairn
