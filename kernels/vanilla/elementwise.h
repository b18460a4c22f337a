// A function of each element of arrays alone: the kernel and its launcher. Not here: the functions (elementwise.cu,
// activations.cu).
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

template <class Function, class... Input>
__global__ void elementwise_kernel(int64_t count, Function function, float* out, bool accumulate,
                                   const Input*... inputs) {
  const int64_t i = element_index();
  if (i < count) store(out + i, function(inputs[i]...), accumulate);
}

// out[i] (+)= function(inputs[i]...), for i < count. A function is a struct with a device operator().
template <class Function, class... Input>
void map(Stream& stream, int64_t count, void* out, int32_t accumulate, const Function& function,
         const Input*... inputs) {
  if (count == 0) return;
  const auto launch = [&](auto... floats) {
    simt::launch<elementwise_kernel<Function, std::remove_cvref_t<decltype(*floats)>...>>(
        stream, element_grid(count), kElementBlock, 0, count, function, static_cast<float*>(out), accumulate != 0,
        floats...);
  };
  launch(static_cast<const float*>(inputs)...);
}

}  // namespace cairn::CAIRN_VANILLA
