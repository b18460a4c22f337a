// The one include of every .cu file: nvcc compiles it for the GPU, g++ and clang compile the same text for the CPU.
//
//   CAIRN_VANILLA                        namespace of kernels: cairn::vanilla_cuda or cairn::vanilla_cpu, because both
//                                        forms are linked into one program and nvcc's stubs have the kernels' names
//   CAIRN_UNROLL                         before a loop: unrolls it on the GPU; the host compiler decides for itself
//   CAIRN_SHARED(T, name);               __shared__ T name, where T may be an array: CAIRN_SHARED(float[8][9], tile)
//   CAIRN_SHARED_DYNAMIC(T, name);       name points to the block's dynamic shared memory (extern __shared__)
//   simt::launch<kernel>(stream, grid, block, shared_bytes, arguments...)   checked kernel<<<...>>>(arguments...);
//                                        a size of 0 is an error
//   simt::launch_cluster<kernel>(stream, clusters, blocks, threads, shared_bytes, arguments...)
//                                        a grid of clusters of 1, 2, 4, 8 or 16 blocks of whole warps; more than one
//                                        block needs sm_90, and 16 are an extra that not every GPU has room for:
//                                        ask most_clusters<kernel>(stream, blocks, threads, shared_bytes) first
//   simt::cluster_rank(), cluster_blocks(), cluster_index()    in place of blockIdx.x and gridDim.x in such a kernel
//   simt::cluster_sync()                 a barrier of the cluster's blocks; orders their shared memory
//   simt::cluster_shared(pointer, rank)  the same place in the dynamic shared memory of the cluster's block `rank`
//   simt::Fragment<N>                    N floats in registers (fragment.h)
//   simt::copy_async16(to_shared, from_global), copy_async4(to_shared, from_global, there), copy_async_commit(),
//   copy_async_wait<pending>()
//
// Kernels are otherwise plain CUDA: __syncthreads, the _sync collectives, atomics, float4. Not for the
// host: spin locks, waits between blocks outside a cluster, grid sync, dynamic parallelism, inline PTX. `if (out of
// range) return;` before a barrier is an error there; guard the work instead. In a kernel for clusters the host runs
// every barrier as one of the whole cluster, so all blocks must come to the same ones (the race detector still tells
// __syncthreads from cluster_sync), and shared memory is the dynamic one only: a CAIRN_SHARED array would be one for
// all blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#include "kernels/runtime/simt/cuda_launch.h"
#else
#include "kernels/runtime/simt/atomics.h"
#include "kernels/runtime/simt/collectives.h"
#include "kernels/runtime/simt/device_math.h"
#include "kernels/runtime/simt/host_launch.h"
#include "kernels/runtime/simt/vocabulary.h"
#endif

#include "kernels/runtime/simt/fragment.h"
