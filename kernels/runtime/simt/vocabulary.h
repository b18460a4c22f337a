// CUDA's keywords, vector types and built-in variables for g++ and clang. Not here: functions (collectives.h,
// atomics.h, device_math.h), shared memory (shared_memory.h). The names are global, as in CUDA, so this header stays
// out of public headers.
#pragma once

#include "kernels/runtime/simt/build_mode.h"  // asked by every header and source here

// __noinline__ is missing on purpose: libstdc++ uses that word as an attribute name.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __constant__ static const

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(4) uchar4 {
  unsigned char x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct float3 {
  float x, y, z;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};

inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) {
  return {x, y, z, w};
}
inline int2 make_int2(int x, int y) {
  return {x, y};
}
inline int4 make_int4(int x, int y, int z, int w) {
  return {x, y, z, w};
}
inline uint2 make_uint2(unsigned x, unsigned y) {
  return {x, y};
}
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
  return {x, y, z, w};
}
inline float2 make_float2(float x, float y) {
  return {x, y};
}
inline float3 make_float3(float x, float y, float z) {
  return {x, y, z};
}
inline float4 make_float4(float x, float y, float z, float w) {
  return {x, y, z, w};
}
inline double2 make_double2(double x, double y) {
  return {x, y};
}

constexpr int warpSize = 32;

namespace cairn::simt {

// What a kernel sees of where it runs. Every OS thread that runs blocks has one.
struct KernelThread {
  uint3 thread{}, block{};
  dim3 block_size, grid_size;
  int row_split = 0;                       // 1: the running fiber runs one CUDA thread alone, 0: a row of them
  unsigned char* shared_arrays = nullptr;  // see shared_memory.h
};

// The calling OS thread's. It never is another one, which gnu::const tells the compiler: a kernel then asks once, keeps
// the pointer in a register, and holds no address of a thread-local variable, which g++ would load into a vector
// register, where linkers do not know it.
[[gnu::const]] KernelThread& kernel_thread() noexcept;

}  // namespace cairn::simt

#define threadIdx (cairn::simt::kernel_thread().thread)
#define blockIdx (cairn::simt::kernel_thread().block)
#define blockDim (cairn::simt::kernel_thread().block_size)
#define gridDim (cairn::simt::kernel_thread().grid_size)
