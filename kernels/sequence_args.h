// The argument structs of the primitives that work on sequences: rows of a table by number, and the gated recurrent
// unit. Not here: the conventions that hold for every primitive (backend.h), which primitives there are (primitives.h).
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace cairn {

// ---- embedding ---------------------------------------------------------------------------------------------------

// out[i,:] = weight[ids[i],:], and nan where ids[i] is no row of weight: nothing outside it is read.
struct EmbeddingForwardArgs {
  DType dtype;                          // of weight and out
  int64_t count, vocabulary, features;  // count: ids in all, batch * time say
  const int32_t* ids;
  const void* weight;  // vocabulary x features
  void* out;           // count x features
};

// dweight[v,:] (+)= the sum of dout[i,:] over the i with ids[i] == v, in the order of i; 0 for v == padding_index. An
// id that is no row of weight adds nothing.
struct EmbeddingBackwardArgs {
  DType dtype;
  int64_t count, vocabulary, features;
  const int32_t* ids;
  const void* dout;       // count x features
  void* dweight;          // vocabulary x features
  int64_t padding_index;  // -1: none
  int32_t accumulate;
};

// ---- gated recurrent unit ----------------------------------------------------------------------------------------

struct GruShape {
  int64_t batch, time, inputs, hidden;
};

// Elements of `reserve`, of an implementation that does not say otherwise (Backend::gru_reserve). What is in them is
// its own, so forward and backward must be of the same one.
constexpr int64_t gru_reserve_count(const GruShape& shape) {
  return 5 * shape.batch * shape.time * shape.hidden;
}

// Cho et al. 2014 in the form of cuDNN and PyTorch, with x = x[b,t,:] and h the state before the step, h0 at first:
//   r  = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
//   z  = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
//   n  = tanh(W_in x + b_in + r * (W_hn h + b_hn))
//   h' = (1 - z) * n + z * h
// The rows of the weights and biases are those of r, then z, then n.
struct GruForwardArgs {
  DType dtype;  // of every array
  GruShape shape;
  const void* x;          // batch x time x inputs
  const void* h0;         // batch x hidden, or null: zeros
  const void* weight_ih;  // 3 hidden x inputs
  const void* weight_hh;  // 3 hidden x hidden
  const void* bias_ih;    // 3 hidden, or null: zeros; likewise bias_hh
  const void* bias_hh;
  void* y;  // batch x time x hidden: h' of every step; with last_only batch x hidden: of the last (h0 if time is 0)
  int32_t last_only;
  void* reserve;  // for gru_backward, as many elements as said above; null where there will be none
};

// The gradients through all time steps, from dy: of y in the form that the forward pass gave it. Of the gradients each
// may be null. What is not said here is as in the forward pass, whose arrays have not changed since.
struct GruBackwardArgs {
  DType dtype;
  GruShape shape;
  const void* x;
  const void* h0;  // or null
  const void* weight_ih;
  const void* weight_hh;
  const void* bias_ih;  // or null
  const void* bias_hh;
  const void* dy;
  int32_t last_only;
  void* reserve;  // what the forward pass wrote; undefined afterwards
  void* dx;
  void* dh0;
  void* dweight_ih;
  void* dweight_hh;
  void* dbias_ih;
  void* dbias_hh;
  int32_t accumulate_dx, accumulate_dh0, accumulate_dweight_ih, accumulate_dweight_hh, accumulate_dbias_ih,
      accumulate_dbias_hh;
};

}  // namespace cairn
