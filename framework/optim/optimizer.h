// Optimizers: one launch over all parameters per step. Not here: learning-rate schedules (schedule.h), the clock's tick
// (the trainer's).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "framework/nn/module.h"

namespace cairn {

// The device's step clock and the learning rates of the steps to come, so that a replayed step finds its rate without
// the host: step t uses rate t modulo their number.
class StepClock {
 public:
  // capacity: how many rates there are, one epoch's worth.
  StepClock(const std::shared_ptr<Device>& device, int64_t capacity);

  void set_rates(std::span<const float> rates);  // exactly `capacity` values
  void set_step(int64_t step);
  int64_t read_step() const;  // waits for the device
  const Tensor& step() const { return step_; }
  const Tensor& rates() const { return rates_; }

 private:
  Tensor step_;   // one i64
  Tensor rates_;  // capacity f32
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Updates every parameter from its gradient. Throws Error if one has none. The gradients' buffers must stay the same
  // from the first step on, which they do: see Tensor::clear_grad.
  virtual void step(const StepClock& clock) = 0;
  // Another weight decay for some parameters: the rule gives each its own, none for biases for example. Before the
  // first step.
  void set_weight_decay(const std::function<double(const NamedTensor&)>& rule);
  // Bounds the norm of all gradients together, as PyTorch's clip_grad_norm_ does; 0: no bound. Before the first step.
  void set_max_norm(double max_norm);
  // Momentum and moments by name ("fc1.weight.momentum"), for checkpoints.
  std::vector<NamedTensor> state() const { return state_; }
  void clear_grads();

 protected:
  Optimizer(std::vector<NamedTensor> parameters, double weight_decay);
  // A zeroed tensor per parameter, listed in state().
  std::vector<Tensor> make_state(const char* suffix);
  // The table of tensors for the launch; its address stays the same.
  const std::vector<OptimizerTensor>& table(const std::vector<Tensor>& state1, const std::vector<Tensor>& state2);

  // What the table's gradients are multiplied with: null, or where the launch that this makes leaves it.
  const float* gradient_factor();

  std::vector<NamedTensor> parameters_;

 private:
  std::vector<NamedTensor> state_;
  std::vector<double> weight_decays_;
  double max_norm_ = 0;
  Tensor factor_;
  std::vector<OptimizerTensor> table_;
};

// SGD with PyTorch's momentum (no dampening, no Nesterov) and L2 weight decay: the formulas stand at SgdArgs.
class Sgd : public Optimizer {
 public:
  explicit Sgd(std::vector<NamedTensor> parameters, double momentum = 0, double weight_decay = 0);
  void step(const StepClock& clock) override;

 private:
  double momentum_;
  std::vector<Tensor> velocity_;
};

// Adam, or AdamW with decoupled weight decay: the formulas stand at AdamArgs.
class Adam : public Optimizer {
 public:
  struct Options {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
    bool decoupled = false;
  };
  Adam(std::vector<NamedTensor> parameters, const Options& options);
  void step(const StepClock& clock) override;

 private:
  Options options_;
  std::vector<Tensor> moment1_, moment2_;
};

}  // namespace cairn
