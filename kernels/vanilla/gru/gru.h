// What the rungs of the gated recurrent unit share: the steps that they are given, and their launchers. Not here: how
// values lie in `reserve` (kernels/gru_products.h), the device code of the steps (1_steps.cu), the products over all
// steps and the choice of a rung (gru.cu).
#pragma once

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {

// Rows of a batch, `stride` floats apart; no data: zeros, or not written.
template <class T>
struct BatchRows {
  T* data;
  int64_t stride;
};

struct GruForwardSteps {
  GruShape shape;
  float* gates;
  const float* h0;         // or null
  const float* weight_hh;  // 3 hidden x hidden
  const float* bias_hh;    // or null
  float* states;           // or null: nothing is kept
  float* y;                // of the last step only, or of all
  bool last_only;
  float* spare;  // gru_forward_floats(shape)
};

struct GruBackwardSteps {
  GruShape shape;
  float* gates;
  const float* states;
  const float* weight_hh;
  const float* dy;
  bool last_only;
  float* dh0;  // or null
  bool accumulate_dh0;
  float* spare;  // gru_backward_floats(shape)
};

// All steps, one after the other; batch and hidden are positive, forward time too. By rung 1, a launch for each:
void gru_forward_by_steps(Stream&, const GruForwardSteps&);
int64_t gru_forward_floats(const GruShape&);
void gru_backward_by_steps(Stream&, const GruBackwardSteps&);
int64_t gru_backward_floats(const GruShape&);
// By rung 2, in one launch; nothing is spare.
void gru_forward_persistent(Stream&, const GruForwardSteps&);
void gru_backward_persistent(Stream&, const GruBackwardSteps&);

}  // namespace cairn::CAIRN_VANILLA
