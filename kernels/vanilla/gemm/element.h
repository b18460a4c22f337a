// Reading single elements of a product's operands, for the rungs that load one float at a time. Not here: tiles loaded
// four floats at a time (tile.h).
#pragma once

#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {

// a[i,k] and b[k,j], wherever they lie.
__device__ __forceinline__ float a_element(const FloatProduct& p, int i, int k) {
  return p.a.data[p.a_along_k ? i * p.a.stride + k : k * p.a.stride + i];
}
__device__ __forceinline__ float b_element(const FloatProduct& p, int k, int j) {
  return p.b.data[p.b_along_k ? j * p.b.stride + k : k * p.b.stride + j];
}

}  // namespace cairn::CAIRN_VANILLA
