// CUDA form of simt::launch and of what else cuda_source.h promises. Not here: the host form (host_launch.h).
#pragma once

#include <cuda_runtime.h>

#include <string>
#include <type_traits>

#include "kernels/runtime/cuda/stream.h"
#include "kernels/runtime/simt/kernel_name.h"

#define CAIRN_UNROLL _Pragma("unroll")
#define CAIRN_VANILLA vanilla_cuda
// Aligned for the widest vectors that kernels read.
#define CAIRN_SHARED(T, name) __shared__ __align__(32) std::type_identity_t<T> name
// One raw array for the whole program, as CUDA has it; a typed view for each kernel.
#define CAIRN_SHARED_DYNAMIC(T, name)                                     \
  extern __shared__ __align__(1024) unsigned char cairn_shared_dynamic[]; \
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

template <auto kernel>
cudaLaunchConfig_t cluster_config(unsigned blocks, unsigned threads, size_t shared_bytes,
                                  cudaLaunchAttribute& cluster) {
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
  if (blocks > 8) cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = blocks;
  cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = threads;
  config.dynamicSmemBytes = shared_bytes;
  config.attrs = &cluster;
  config.numAttrs = blocks > 1 ? 1 : 0;  // a GPU before sm_90 knows no clusters
  return config;
}

// Whether the kernel, as it runs on this device, knows clusters. The device does not say: code of an older generation,
// compiled anew for a newer one, has none, and each of its blocks would take itself for the first.
template <auto kernel>
bool has_clusters(Stream&) {
  cudaFuncAttributes attributes{};
  const cudaError_t asked = cudaFuncGetAttributes(&attributes, kernel);
  if (asked != cudaSuccess) cuda::check(asked, ("asking for kernel " + kernel_name(__PRETTY_FUNCTION__)).c_str());
  return attributes.ptxVersion >= 90 && attributes.binaryVersion >= 90;
}

// How many clusters of this shape the device can run at once; 0: none, and a launch would fail.
template <auto kernel>
int most_clusters(Stream& stream, unsigned blocks, unsigned threads, size_t shared_bytes) {
  if (blocks > 1 && !has_clusters<kernel>(stream)) return 0;
  cudaLaunchAttribute cluster{};
  const cudaLaunchConfig_t config = cluster_config<kernel>(blocks, threads, shared_bytes, cluster);
  int count = 0;
  const cudaError_t asked = blocks > 1 ? cudaOccupancyMaxActiveClusters(&count, kernel, &config)
                                       : cudaOccupancyMaxActiveBlocksPerMultiprocessor(
                                             &count, kernel, static_cast<int>(threads), shared_bytes);
  cudaGetLastError();  // what cannot be asked for cannot run; it is nobody else's error
  return asked == cudaSuccess ? count : 0;
}

template <auto kernel, class... Arguments>
void launch_cluster(Stream& stream, unsigned clusters, unsigned blocks, unsigned threads, size_t shared_bytes,
                    Arguments... arguments) {
  cudaLaunchAttribute cluster{};
  cudaLaunchConfig_t config = cluster_config<kernel>(blocks, threads, shared_bytes, cluster);
  config.gridDim = clusters * blocks;
  config.stream = stream.handle;
  const cudaError_t error = cudaLaunchKernelEx(&config, kernel, arguments...);
  if (error != cudaSuccess) cuda::check(error, ("launch of kernel " + kernel_name(__PRETTY_FUNCTION__)).c_str());
}

// Before sm_90 there are no clusters and every block is one of its own.
__device__ __forceinline__ unsigned cluster_rank() {
  unsigned rank = 0;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
#endif
  return rank;
}
__device__ __forceinline__ unsigned cluster_blocks() {
  unsigned blocks = 1;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(blocks));
#endif
  return blocks;
}
__device__ __forceinline__ unsigned cluster_index() {
  return blockIdx.x / cluster_blocks();
}
__device__ __forceinline__ void cluster_sync() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
#else
  __syncthreads();
#endif
}
template <class T>
__device__ __forceinline__ T* cluster_shared(T* pointer, unsigned rank) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  return static_cast<T*>(__cluster_map_shared_rank(const_cast<void*>(static_cast<const void*>(pointer)), rank));
#else
  return pointer;
#endif
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
