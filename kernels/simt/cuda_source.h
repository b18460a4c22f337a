// The one include of every .cu file: nvcc compiles it for the GPU, g++ and clang compile the same text for the CPU.
//
//   CAIRN_VANILLA                        namespace of kernels: cairn::vanilla_cuda or cairn::vanilla_cpu, because both
//                                        forms are linked into one program and nvcc's stubs have the kernels' names
//   CAIRN_UNROLL                         before a loop: unrolls it on the GPU; the host compiler decides for itself
//   CAIRN_SHARED_DYNAMIC(T, name);       name points to the block's dynamic shared memory (extern __shared__)
//   simt::launch<kernel>(stream, grid, block, shared_bytes, arguments...)   checked kernel<<<...>>>(arguments...);
//                                        a size of 0 is an error
//   simt::Fragment<N>                    N floats in registers (fragment.h)
//   simt::copy_async16(to_shared, from_global), copy_async4(to_shared, from_global, there), copy_async_commit(),
//   copy_async_wait<pending>()
//
// Kernels are otherwise plain CUDA: __shared__, __syncthreads, the _sync collectives, atomics, float4. Not for the
// host: spin locks, waits between blocks, grid sync, dynamic parallelism, inline PTX. `if (out of range) return;`
// before a barrier is an error there; guard the work instead.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#include "kernels/simt/cuda_launch.h"
#else
#include "kernels/simt/atomics.h"
#include "kernels/simt/collectives.h"
#include "kernels/simt/device_math.h"
#include "kernels/simt/host_launch.h"
#include "kernels/simt/vocabulary.h"
#endif

#include "kernels/simt/fragment.h"
