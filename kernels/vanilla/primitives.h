// What the hand-written kernels share on the host side: the primitives' names, the stream of this form (GPU or CPU) and
// the arithmetic of launches. Not here: device code (warp.h) and the kernels.
//
// Every .cu file of this folder is compiled twice: by nvcc for the GPU, and by the host compiler against
// kernels/runtime/simt. CAIRN_VANILLA is the namespace of the form that is being compiled, vanilla_cuda or vanilla_cpu.
// The GPU form compiles for sm_80 and sm_90. Of the kernels that multiply, on sm_90 three forms of gemm rung 7 spill 4
// bytes, one of rung 5 32 and one average pool's gradient 16 (scripts/sass_facts lists them). It has not yet run on a
// GPU.
#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "kernels/backend.h"
#include "kernels/runtime/simt/cuda_source.h"
#if defined(__CUDACC__)
#include "kernels/runtime/cuda/stream.h"
#else
#include "kernels/runtime/cpu/stream.h"
#endif

namespace cairn::CAIRN_VANILLA {

#if defined(__CUDACC__)
namespace device = cairn::cuda;
constexpr bool kOnGpu = true;
#else
namespace device = cairn::cpu;
constexpr bool kOnGpu = false;
#endif
using device::Stream;

inline void require_f32(DType dtype, const char* primitive) {
  if (dtype != DType::f32)
    throw std::invalid_argument(std::string("vanilla: ") + primitive +
                                " takes f32 arrays only; the reference implementation has f64");
}

// How many groups of `size` cover `count`.
constexpr int64_t divide_up(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

// A grid's x extent (at most 2^31 - 1 blocks).
inline unsigned grid_x(int64_t blocks) {
  if (blocks > INT32_MAX) throw std::invalid_argument("vanilla: an array is too large for one launch");
  return static_cast<unsigned>(blocks);
}

// For elementwise kernels: one thread an element. (Not a loop with a stride of the whole grid: on the CPU one thread
// after the other runs, and neighbouring threads on neighbouring elements become a vectorised loop.)
constexpr unsigned kElementBlock = 256;
inline unsigned element_grid(int64_t count) {
  return grid_x(divide_up(count, kElementBlock));
}

// What the slices of a split sum may take of the workspace (8 MB): it bounds how finely a sum is split.
constexpr int64_t kWorkspaceFloats = int64_t{2} << 20;

std::span<const KernelVariant> gemm_rungs();
std::span<const KernelVariant> conv2d_rungs();
std::span<const KernelVariant> gru_rungs();
std::span<const KernelVariant> sgd_steps_rungs();

// One function a primitive, in the file of its family.
#define CAIRN_PRIMITIVE(family, name, Args) void name(Stream&, const Args&);
CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE

}  // namespace cairn::CAIRN_VANILLA
