// The logistic function, of the activation and of a recurrent unit's gates. Not here: what they make of it
// (activations.cu, gru/gates.h).
#pragma once

#include <cmath>

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {

// Where expf(-x) is infinity, the result is 0, and nothing else is lost: the true one is below the normal numbers.
__device__ __forceinline__ float sigmoid(float x) {
  return 1.0f / (1.0f + expf(-x));
}

}  // namespace cairn::CAIRN_VANILLA
