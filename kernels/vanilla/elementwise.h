// What kernels share that treat each element of an array alone. Not here: the kernels (elementwise.cu, activations.cu).
//
// One thread an element: i = blockIdx.x * 256 + threadIdx.x, so that a warp reads 128 consecutive bytes of each array.
// All are limited by memory: 1 to 4 FLOPs for 8 to 16 bytes; the 20 or so of tanhf do not change that.
#pragma once

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {

__device__ __forceinline__ int64_t element_index() {
  return static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
}

__device__ __forceinline__ void store(float* out, float value, bool accumulate) {
  *out = accumulate ? *out + value : value;
}

}  // namespace cairn::CAIRN_VANILLA
