#include "trainers/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace cairn {
namespace {

constexpr const char* kModelPrefix = "model.";
constexpr const char* kOptimizerPrefix = "optimizer.";
constexpr const char* kAveragePrefix = "average.";
constexpr const char* kStep = "step";
constexpr const char* kStepsPerEpoch = "steps_per_epoch";
constexpr const char* kEpochLosses = "epoch_losses";
constexpr const char* kBestAccuracy = "best_accuracy";
constexpr int64_t kMostSteps = int64_t{1} << 40;  // more than --epochs allows any run

template <class Value>
HostTensor host_tensor(const char* name, const Shape& shape, std::span<const Value> values) {
  const std::span<const std::byte> bytes = std::as_bytes(values);
  return {name, DTypeOf<Value>::value, shape, {bytes.begin(), bytes.end()}};
}

template <class Value>
std::vector<Value> values_of(const HostTensor& tensor) {
  std::vector<Value> values(tensor.bytes.size() / sizeof(Value));
  std::copy_n(tensor.bytes.begin(), values.size() * sizeof(Value), std::as_writable_bytes(std::span(values)).begin());
  return values;
}

// Moves a tensor to `list` without its prefix, if it has that.
bool take(HostTensor& tensor, const char* prefix, std::vector<HostTensor>& list) {
  if (tensor.name.rfind(prefix, 0) != 0) return false;
  tensor.name.erase(0, std::strlen(prefix));
  list.push_back(std::move(tensor));
  return true;
}

std::vector<NamedTensor> average_of(Trainer& trainer) {
  return trainer.average() ? trainer.average()->state() : std::vector<NamedTensor>();
}

// The single number of that name, if there is one.
template <class Value>
std::optional<Value> scalar(const std::vector<HostTensor>& tensors, const char* name) {
  for (const HostTensor& tensor : tensors)
    if (tensor.name == name && tensor.dtype == DTypeOf<Value>::value && tensor.shape == Shape{})
      return values_of<Value>(tensor)[0];
  return {};
}

}  // namespace

std::vector<HostTensor> checkpoint_of(Trainer& trainer, const RunState& state) {
  std::vector<HostTensor> tensors = to_host(trainer.model().state(), kModelPrefix);
  for (HostTensor& each : to_host(trainer.optimizer().state(), kOptimizerPrefix)) tensors.push_back(std::move(each));
  for (HostTensor& each : to_host(average_of(trainer), kAveragePrefix)) tensors.push_back(std::move(each));
  const int64_t steps = trainer.steps_done(), steps_per_epoch = trainer.steps_per_epoch();
  std::vector<float> losses;
  if (steps % steps_per_epoch != 0) losses = trainer.losses();
  tensors.push_back(host_tensor<int64_t>(kStep, {}, {&steps, 1}));
  tensors.push_back(host_tensor<int64_t>(kStepsPerEpoch, {}, {&steps_per_epoch, 1}));
  tensors.push_back(host_tensor<double>(kBestAccuracy, {}, {&state.best_accuracy, 1}));
  tensors.push_back(host_tensor<float>(kEpochLosses, {static_cast<int64_t>(losses.size())}, losses));
  return tensors;
}

int64_t steps_of(const std::vector<HostTensor>& checkpoint, const std::string& where) {
  const std::optional<int64_t> steps = scalar<int64_t>(checkpoint, kStep);
  if (!steps || *steps < 0) throw DataError(where + " is not a checkpoint: it has no step");
  if (*steps > kMostSteps)
    throw DataError(where + " is damaged: it counts " + std::to_string(*steps) + " steps, of at most " +
                    std::to_string(kMostSteps));
  return *steps;
}

RunState restore(Trainer& trainer, std::vector<HostTensor> checkpoint, const std::string& where) {
  const int64_t steps = steps_of(checkpoint, where), steps_per_epoch = trainer.steps_per_epoch();
  if (const int64_t counted = scalar<int64_t>(checkpoint, kStepsPerEpoch).value_or(steps_per_epoch);
      counted != steps_per_epoch)
    throw DataError(where + " counts " + std::to_string(counted) + " steps an epoch, which with this data set and " +
                    "--batch-size has " + std::to_string(steps_per_epoch) + ": start another run");
  RunState state;
  state.best_accuracy = scalar<double>(checkpoint, kBestAccuracy).value_or(state.best_accuracy);
  std::vector<HostTensor> weights, states, averages;
  std::vector<float> losses;
  for (HostTensor& tensor : checkpoint) {
    if (take(tensor, kModelPrefix, weights) || take(tensor, kOptimizerPrefix, states) ||
        take(tensor, kAveragePrefix, averages))
      continue;
    if (tensor.name == kEpochLosses && tensor.dtype == DType::f32) losses = values_of<float>(tensor);
  }
  const int64_t begun = steps % steps_per_epoch;
  if (static_cast<int64_t>(losses.size()) != begun)
    throw DataError(where + " is of a run with other batches: it has the losses of " + std::to_string(losses.size()) +
                    " steps of its last epoch, not of " + std::to_string(begun));
  check_fit(trainer.optimizer().state(), states, where);
  check_fit(average_of(trainer), averages, where);
  load_tensors(trainer.model().state(), weights, where);
  load_tensors(trainer.optimizer().state(), states, where);
  load_tensors(average_of(trainer), averages, where);
  trainer.continue_at(steps, std::move(losses));
  return state;
}

}  // namespace cairn
