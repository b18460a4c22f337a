// The argument structs of the optimizers' updates, and of whole training steps in one call. Not here: the conventions
// that hold for every primitive (backend.h), which primitives there are (primitives.h).
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace cairn {

struct OptimizerTensor {
  void* parameter;
  const void* gradient;
  void* state1;  // SGD: momentum buffer or null; Adam: first moment; moving_average: the average
  void* state2;  // Adam: second moment
  int64_t count;
  double weight_decay;
};

// One launch over all tensors, PyTorch's rules:  g *= gradient_factor;  g += weight_decay * p;
// v = momentum * v + g (v = g at step 0);  p -= lr * v (or lr * g without momentum).
// lr = learning_rates[*step % learning_rate_count].
struct SgdArgs {
  DType dtype;
  const OptimizerTensor* tensors;  // host; must stay valid while a captured step refers to it
  int64_t tensor_count;
  const float* gradient_factor;  // device, one value, or null: 1
  const float* learning_rates;   // device
  int64_t learning_rate_count;
  const int64_t* step;  // device: steps done so far
  double momentum;
};

// Kingma & Ba 2015 with PyTorch's placement of epsilon; t = *step + 1;  g *= gradient_factor first.
// Adam: g += weight_decay * p.  AdamW (decoupled, Loshchilov & Hutter 2019): p -= lr * weight_decay * p first.
// m = beta1 m + (1-beta1) g;  v = beta2 v + (1-beta2) g^2;  p -= lr / (1-beta1^t) * m / (sqrt(v / (1-beta2^t)) +
// epsilon)
struct AdamArgs {
  DType dtype;
  const OptimizerTensor* tensors;  // host; as in SgdArgs
  int64_t tensor_count;
  const float* gradient_factor;  // as in SgdArgs
  const float* learning_rates;
  int64_t learning_rate_count;
  const int64_t* step;
  double beta1, beta2, epsilon;
  int32_t decoupled;
};

// PyTorch's clip_grad_norm_, as a factor for sgd and adam:
// factor[0] = min(1, max_norm / (norm + 1e-6)), norm the square root of the sum of all gradients' squares.
struct ClipGradientsArgs {
  DType dtype;
  const OptimizerTensor* tensors;  // host; as in SgdArgs; of each its gradient
  int64_t tensor_count;
  double max_norm;
  float* factor;  // device
};

// state1 = d * state1 + (1 - d) * parameter, of each tensor.   d = decay, or with `ramp` the lesser of decay and
// (1 + t) / (10 + t), t = *step: TensorFlow's ExponentialMovingAverage with num_updates.
struct MovingAverageArgs {
  DType dtype;
  const OptimizerTensor* tensors;  // host; as in SgdArgs
  int64_t tensor_count;
  const int64_t* step;  // device
  double decay;
  int32_t ramp;
};

// ---- whole training steps
// ---------------------------------------------------------------------------------------------

// One fully connected layer: y = x weight^T + bias.
struct LinearLayer {
  int64_t in, out;
  void* weight;           // out x in
  void* bias;             // out
  void* weight_velocity;  // as the parameters; null where there is no momentum
  void* bias_velocity;
};

// `steps` steps of mini-batch SGD on a stack of linear layers with a ReLU between each two, in one call. With t the
// value of *step before a step and b = t % steps_per_epoch, that step is
//   x        the rows order[b * batch_size ...] of images, as floats: batch_size of them, or what is left of order
//   loss     the mean cross-entropy of the stack's output against the labels of the same rows
//   update   SgdArgs' rule on every weight and bias, with learning_rates[t % learning_rate_count]
//   history[t % history_capacity] = loss;   *step = t + 1
// All of them belong to one epoch, whose permutation `order` is. A kernel for this is limited in sizes: with `probe`
// set nothing runs, and the call fails with the same text where the real one would.
struct SgdStepsArgs {
  DType dtype;                // of parameters and velocities
  const LinearLayer* layers;  // host; layers[i].in is layers[i - 1].out
  int64_t layer_count;
  const uint8_t* images;  // images x layers[0].in
  const int32_t* labels;  // images: below the last layer's out
  const int32_t* order;
  int64_t order_count;
  float scale, shift;  // x = byte * scale + shift
  int64_t batch_size, steps_per_epoch, steps;
  const float* learning_rates;  // device
  int64_t learning_rate_count;
  float* history;
  int64_t history_capacity;
  int64_t* step;  // device
  double momentum, weight_decay;
  int32_t probe;
};

}  // namespace cairn
