// The argument structs of the primitives that work element by element: arithmetic, biases, activations, random numbers.
// Not here: the conventions that hold for every primitive (backend.h), which primitives there are (primitives.h).
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace cairn {

// ---- arithmetic
// -------------------------------------------------------------------------------------------------------

// out[i] = (accumulate ? out[i] : 0) + f(a[i], b[i]); out may be a or b
struct BinaryArgs {
  DType dtype;
  int64_t count;
  const void* a;
  const void* b;
  void* out;
  int32_t accumulate;
};

// out[i] = (accumulate ? out[i] : 0) + factor * x[i]; out may be x
struct ScaleArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* out;
  double factor;
  int32_t accumulate;
};

// out[i] (+)= factor * x[0]     (the gradient of a sum)
struct BroadcastScalarArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* out;
  double factor;
  int32_t accumulate;
};

// y[r * y_stride + c] (+)= x[r * x_stride + c]: a concatenation along channels is one of these for each part (rows: the
// images, columns: the part's channels * plane), and so is its backward pass.
struct CopyRowsArgs {
  DType dtype;
  int64_t rows, columns;
  const void* x;
  int64_t x_stride;
  void* y;
  int64_t y_stride;
  int32_t accumulate;
};

// ---- biases
// -----------------------------------------------------------------------------------------------------------

// y[r,c] = x[r,c] + bias[c], then max(0, .); y may be x
struct BiasForwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* x;
  const void* bias;
  void* y;
  int32_t relu;
};

// dbias[c] (+)= sum over r of dy[r,c]
struct BiasBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* dy;
  void* dbias;
  int32_t accumulate;
};

// dz[r,c] = y[r,c] > 0 ? dy[r,c] : 0;   dbias[c] (+)= sum over r of dz[r,c]; dz may be dy
struct BiasReluBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* dy;
  const void* y;  // the output of the ReLU
  void* dz;
  void* dbias;  // or null
  int32_t accumulate;
};

// ---- activations
// ------------------------------------------------------------------------------------------------------

// y = max(0, x); nan stays nan, as in PyTorch; y may be x
struct ReluForwardArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
};

// dx[i] (+)= y[i] > 0 ? dy[i] : 0
struct ReluBackwardArgs {
  DType dtype;
  int64_t count;
  const void* dy;
  const void* y;
  void* dx;
  int32_t accumulate;
};

// y = tanh(x); nan stays nan; y may be x
struct TanhForwardArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
};

// dx[i] (+)= dy[i] * (1 - y[i]^2)
struct TanhBackwardArgs {
  DType dtype;
  int64_t count;
  const void* dy;
  const void* y;  // the output of the forward pass
  void* dx;
  int32_t accumulate;
};

// y = 1 / (1 + e^-x), the logistic function; nan stays nan; y may be x
struct SigmoidForwardArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
};

// dx[i] (+)= dy[i] * y[i] * (1 - y[i])
struct SigmoidBackwardArgs {
  DType dtype;
  int64_t count;
  const void* dy;
  const void* y;  // the output of the forward pass
  void* dx;
  int32_t accumulate;
};

// y = x * P(x), P(x) = (1 + erf(x / sqrt 2)) / 2, the normal distribution's: Hendrycks & Gimpel 2016, exact, as
// PyTorch's default; nan stays nan; y may be x
struct GeluForwardArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
};

// dx[i] (+)= dy[i] * (P(x[i]) + x[i] * exp(-x[i]^2 / 2) / sqrt(2 pi))
struct GeluBackwardArgs {
  DType dtype;
  int64_t count;
  const void* dy;
  const void* x;  // the input of the forward pass
  void* dx;
  int32_t accumulate;
};

// ---- random numbers
// ---------------------------------------------------------------------------------------------------

// Philox 4x32-10 draws (kernels/philox.h): element i comes from the counter (i / 4, stream, 0) under the key seed.
// uniform: low + (high - low) * u with u in [0, 1);  normal: mean `low`, standard deviation `high`, by Box-Muller.
struct RandomArgs {
  DType dtype;
  int64_t count;
  void* out;
  double low, high;
  uint64_t seed;
  uint32_t stream;  // tells the tensors apart
};

// y[i] = keep(i) ? x[i] / (1 - probability) : 0, with keep(i) = uniform(seed, layer, *step, i) >= probability.
// The backward pass is the same entry on dy: the mask is drawn again, not stored.
struct DropoutArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
  double probability;  // of being dropped, in [0, 1)
  uint64_t seed;
  uint32_t layer;       // tells the dropout layers of a network apart
  const int64_t* step;  // device
  int32_t accumulate;
};

// y[i] = min(high, max(low, x[i] + deviation * normal(seed, layer, *step, i))): the draws of DropoutArgs, made normal
// by Box-Muller as in RandomArgs. y may be x.
struct AddNoiseArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
  double deviation, low, high;
  uint64_t seed;
  uint32_t layer;
  const int64_t* step;  // device
};

}  // namespace cairn
