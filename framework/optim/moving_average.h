// Exponential moving averages of a network's tensors, which may do better on new data than the tensors themselves. Not
// here: the optimizers (optimizer.h), when a run looks at which (the trainers).
#pragma once

#include <vector>

#include "framework/optim/optimizer.h"

namespace cairn {

class MovingAverage {
 public:
  // Begins with the tensors' values. After each update an average is decay * average + (1 - decay) * tensor; with
  // `ramp` early ones follow faster: the formula stands at MovingAverageArgs. Throws UsageError for a decay outside [0,
  // 1).
  MovingAverage(std::vector<NamedTensor> tensors, double decay, bool ramp = true);

  // Can be part of a captured step. clock: its step is how many the tensors have behind them.
  void update(const StepClock& clock);
  // Exchanges tensors and averages, in place, so that a captured step still finds the tensors: the network then
  // computes with the averages, until the next swap().
  void swap();
  bool swapped() const { return swapped_; }

  // The averages by name ("fc1.weight.average"), for checkpoints.
  std::vector<NamedTensor> state() const;

 private:
  std::vector<NamedTensor> tensors_;
  std::vector<Tensor> averages_;
  std::vector<OptimizerTensor> table_;
  double decay_;
  bool ramp_;
  bool swapped_ = false;
};

// Exchanges tensors and averages for as long as it lives: for an evaluation.
class AveragesInPlace {
 public:
  explicit AveragesInPlace(MovingAverage& average) : average_(average) { average_.swap(); }
  ~AveragesInPlace() { average_.swap(); }
  AveragesInPlace(const AveragesInPlace&) = delete;
  AveragesInPlace& operator=(const AveragesInPlace&) = delete;

 private:
  MovingAverage& average_;
};

}  // namespace cairn
