// CUDA form of simt::launch and of what else cuda_source.h promises. Not here: the host form (host_launch.h).
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "kernels/cuda/stream.h"
#include "kernels/simt/kernel_name.h"

#define CAIRN_UNROLL _Pragma("unroll")
#define CAIRN_VANILLA vanilla_cuda
// One raw array for the whole program, as CUDA has it; a typed view for each kernel.
#define CAIRN_SHARED_DYNAMIC(T, name)                                    \
  extern __shared__ __align__(128) unsigned char cairn_shared_dynamic[]; \
  T* const name = reinterpret_cast<T*>(cairn_shared_dynamic)

namespace cairn::simt {

using cuda::Stream;

template <auto kernel, class... Arguments>
void launch(Stream& stream, dim3 grid, dim3 block, size_t shared_bytes, Arguments... arguments) {
  const auto check = [](cudaError_t error, const char* signature) {
    if (error != cudaSuccess) cuda::check(error, ("launch of kernel " + kernel_name(signature)).c_str());
  };
  constexpr size_t kWithoutAsking = 48 * 1024;
  if (shared_bytes > kWithoutAsking)
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
          __PRETTY_FUNCTION__);
  kernel<<<grid, block, shared_bytes, stream.handle>>>(arguments...);
  check(cudaGetLastError(), __PRETTY_FUNCTION__);
}

// 16 bytes from global to shared memory; they are there after a commit, a wait and (for other threads) a barrier.
__device__ __forceinline__ void copy_async16(void* destination, const void* source) {
  const auto shared = static_cast<unsigned>(__cvta_generic_to_shared(destination));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared), "l"(source) : "memory");
}
// 4 bytes, or zeros where `there` is false; then the source is not read.
__device__ __forceinline__ void copy_async4(void* destination, const void* source, bool there) {
  const auto shared = static_cast<unsigned>(__cvta_generic_to_shared(destination));
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared), "l"(source), "r"(there ? 4 : 0)
               : "memory");
}
__device__ __forceinline__ void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
// Waits until at most `pending` of this thread's committed groups are unfinished.
template <int pending>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

}  // namespace cairn::simt
