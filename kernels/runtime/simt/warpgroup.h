// Hopper's bulk features, for the *_sm90.cu files alone: tiles that the copy engine fetches by itself, barriers that
// count the bytes that have arrived, and matrix products that a warpgroup (128 threads, four warps) issues together.
// The same vocabulary in both forms; the host form is in warpgroup.cpp. Not here: any tiling.
//
//   TensorMap                  a matrix in global memory, of which boxes can be fetched: box_lines lines of 128 bytes
//   TransferBarrier            in shared memory. A phase ends when `arrivals` threads have arrived and as many bytes as
//                              were expected have been transferred; then the next begins. wait(parity) returns when the
//                              phase of that parity (0 for the first, 1, 0, ...) is over.
//   copy_box(to, map, position, line, barrier)   one thread: fetches the box that begins at that element of that line;
//                              what lies outside the matrix becomes zeros. `to`: at a multiple of 1024 bytes
//   copy_box_to_cluster        the same, once, for all blocks of the cluster: to the same place in each one's shared
//                              memory, and each one's barrier counts the bytes
//   multiply_warpgroup<Input>  sums (64 x 256) += a (64 lines) * b (256 lines)^T, 32 bytes along k of each
//
// The race detector sees neither boxes nor products: a missing wait shows as NaN, a wrong count of bytes as a deadlock.
//
// In a tile of lines of 128 bytes the 16-byte pieces of line r are exchanged by XOR with r % 8, so that a column of
// pieces lies in all banks. copy_box writes that order and multiply_warpgroup reads it: nothing else touches a tile.
//
// multiply_warpgroup leaves thread t of the warpgroup, in warp w = t / 32 and lane l = t % 32, with
//   sums[4 j + 2 h + i] = result (16 w + l / 4 + 8 h, 8 j + l % 4 * 2 + i)      j < 32, h < 2, i < 2
// (PTX ISA, "Asynchronous Warpgroup Level Matrix Multiply-Accumulate"). It is asynchronous: between begin_products and
// wait_for_products the sums are not to be touched.
#pragma once

#include <cstdint>

#include "kernels/runtime/simt/cuda_source.h"

#if defined(__CUDACC__)
#include <cuda.h>

#include <stdexcept>

#include "kernels/runtime/cuda/check.h"
#endif

namespace cairn::simt {

// What the tensor cores take: 32-bit floats, of which they use 19 bits (TF32: the mantissa is cut to 10 bits), or the
// upper halves of floats (bf16).
enum class TensorInput { tf32, bf16 };
__host__ __device__ constexpr int bytes_of(TensorInput input) {
  return input == TensorInput::tf32 ? 4 : 2;
}

// `lines` lines of `length` elements, `stride_bytes` apart (a multiple of 16, as is the address).
struct TensorShape {
  TensorInput input;
  const void* data;
  int64_t lines, length, stride_bytes;
  int box_lines;  // at most 256
};

constexpr int kBoxLineBytes = 128;
constexpr int kProductBytes = 32;     // along k, that one multiply_warpgroup takes
constexpr int kProductLines = 64;     // of a
constexpr int kProductColumns = 256;  // lines of b
constexpr int kProductSums = kProductLines * kProductColumns / 128;

#if defined(__CUDACC__)

inline namespace cuda_form {

struct TensorMap {
  CUtensorMap map;
};
// The driver's function is asked for at run time, so that a program needs no libcuda to start.
inline TensorMap tensor_map(const TensorShape& shape) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
#if CUDART_VERSION >= 12050
  cuda::check(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found),
              "asking for cuTensorMapEncodeTiled");
#else
  cuda::check(cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &function, cudaEnableDefault, &found),
              "asking for cuTensorMapEncodeTiled");
#endif
  if (!function) throw std::runtime_error("this GPU's driver has no cuTensorMapEncodeTiled: it needs CUDA 12.0");
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(shape.length), static_cast<cuuint64_t>(shape.lines)};
  const cuuint64_t strides[] = {static_cast<cuuint64_t>(shape.stride_bytes)};
  const cuuint32_t box[] = {static_cast<cuuint32_t>(kBoxLineBytes / bytes_of(shape.input)),
                            static_cast<cuuint32_t>(shape.box_lines)};
  const cuuint32_t every[] = {1, 1};
  TensorMap result;
  const CUresult status = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function)(
      &result.map,
      shape.input == TensorInput::tf32 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT32 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2,
      const_cast<void*>(shape.data), sizes, strides, box, every, CU_TENSOR_MAP_INTERLEAVE_NONE,
      CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS)
    throw std::runtime_error("cuTensorMapEncodeTiled refused a matrix: CUDA error " + std::to_string(status));
  return result;
}

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

class TransferBarrier {
 public:
  // By one thread; then fence_barriers by it and __syncthreads by all.
  __device__ __forceinline__ void initialize(unsigned arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(this)), "r"(arrivals) : "memory");
  }
  __device__ __forceinline__ void arrive() {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(this)) : "memory");
  }
  // At the barrier in the same place of the cluster's block `rank`.
  __device__ __forceinline__ void arrive_at(unsigned rank) {
    asm volatile(
        "{ .reg .b32 remote;\n"
        "mapa.shared::cluster.u32 remote, %0, %1;\n"
        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote]; }" ::"r"(shared_address(this)),
        "r"(rank)
        : "memory");
  }
  // Arrives, and tells how many bytes this phase waits for.
  __device__ __forceinline__ void expect(unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(this)), "r"(bytes)
                 : "memory");
  }
  __device__ __forceinline__ void wait(unsigned parity) {
    unsigned over = 0;
    while (!over)
      asm volatile(
          "{ .reg .pred over;\n"
          "mbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\n"
          "selp.u32 %0, 1, 0, over; }"
          : "=r"(over)
          : "r"(shared_address(this)), "r"(parity)
          : "memory");
  }

 private:
  uint64_t state_;
};
__device__ __forceinline__ void fence_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ __forceinline__ void copy_box(void* to, const TensorMap& from, int position, int line,
                                         TransferBarrier& barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(
          shared_address(to)),
      "l"(&from.map), "r"(shared_address(&barrier)), "r"(position), "r"(line)
      : "memory");
}

__device__ __forceinline__ void copy_box_to_cluster(void* to, const TensorMap& from, int position, int line,
                                                    TransferBarrier& barrier) {
  const auto all = static_cast<unsigned short>((1u << cluster_blocks()) - 1);
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
      "[%0], [%1, {%3, %4}], [%2], %5;" ::"r"(shared_address(to)),
      "l"(&from.map), "r"(shared_address(&barrier)), "r"(position), "r"(line), "h"(all)
      : "memory");
}

// The registers of a warp of this role, from here on: fewer for one that only copies, more for one that multiplies.
template <int registers>
__device__ __forceinline__ void keep_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}
template <int registers>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

__device__ __forceinline__ void begin_products() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
// Ends a group of products.
__device__ __forceinline__ void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Waits until at most `pending` groups are unfinished.
template <int pending>
__device__ __forceinline__ void wait_for_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}

// Tells the tensor cores where a tile begins and how it lies: 8 lines are 1024 bytes (bits 32 to 45, in units of 16
// bytes), pieces exchanged as above (1 in bits 62 and 63).
__device__ __forceinline__ uint64_t tile_descriptor(const void* tile) {
  return (shared_address(tile) & 0x3ffff) >> 4 | uint64_t{1} << 16 | uint64_t{1024 / 16} << 32 | uint64_t{1} << 62;
}

#define CAIRN_SUMS_4(i) "+f"(sums[i]), "+f"(sums[i + 1]), "+f"(sums[i + 2]), "+f"(sums[i + 3])
#define CAIRN_SUMS_16(i) CAIRN_SUMS_4(i), CAIRN_SUMS_4(i + 4), CAIRN_SUMS_4(i + 8), CAIRN_SUMS_4(i + 12)
#define CAIRN_SUMS_64(i) CAIRN_SUMS_16(i), CAIRN_SUMS_16(i + 16), CAIRN_SUMS_16(i + 32), CAIRN_SUMS_16(i + 48)
#define CAIRN_MULTIPLY(instruction, options)                                                           \
  asm volatile(                                                                                        \
      "{ .reg .pred add;\n"                                                                            \
      "setp.ne.b32 add, %130, 0;\n" instruction                                                        \
      " {"                                                                                             \
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                         \
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "               \
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "               \
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "               \
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "               \
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "               \
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "   \
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127" \
      "}, %128, %129, add, 1, 1" options "; }"                                                         \
      : CAIRN_SUMS_64(0), CAIRN_SUMS_64(64)                                                            \
      : "l"(tile_descriptor(a)), "l"(tile_descriptor(b)), "r"(add ? 1 : 0))

// add: false to begin with zeros. a and b: tiles, a multiple of 64 lines and of 32 bytes into them.
template <TensorInput input>
__device__ __forceinline__ void multiply_warpgroup(float (&sums)[kProductSums], const void* a, const void* b,
                                                   bool add) {
  if constexpr (input == TensorInput::tf32)
    CAIRN_MULTIPLY("wgmma.mma_async.sync.aligned.m64n256k8.f32.tf32.tf32", "");
  else
    CAIRN_MULTIPLY("wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16", ", 0, 0");
}

#undef CAIRN_MULTIPLY
#undef CAIRN_SUMS_64
#undef CAIRN_SUMS_16
#undef CAIRN_SUMS_4

}  // namespace cuda_form

#else

inline namespace host_form {

struct TensorMap {
  TensorShape shape;
};
TensorMap tensor_map(const TensorShape& shape);

class TransferBarrier {
 public:
  void initialize(unsigned arrivals);
  void arrive();
  void arrive_at(unsigned rank) { cluster_shared(this, rank)->arrive(); }
  void expect(unsigned bytes);
  void wait(unsigned parity, const char* file = __builtin_FILE(), int line = __builtin_LINE());

 private:
  friend void copy_box(void*, const TensorMap&, int, int, TransferBarrier&);
  void deliver();
  void end_phase_if_due();

  unsigned arrivals_, missing_;  // threads, of a phase and still to come
  int bytes_;                    // still to come
  unsigned parity_;              // of the phase in progress
};
inline void fence_barriers() {}

// The box arrives when its barrier is waited for, and until then its place holds NaN: a forgotten wait shows, and so
// does a tile that is overwritten too early.
void copy_box(void* to, const TensorMap& from, int position, int line, TransferBarrier& barrier);
inline void copy_box_to_cluster(void* to, const TensorMap& from, int position, int line, TransferBarrier& barrier) {
  for (unsigned rank = 0; rank < cluster_blocks(); ++rank)
    copy_box(cluster_shared(to, rank), from, position, line, *cluster_shared(&barrier, rank));
}

template <int registers>
void keep_registers() {}
template <int registers>
void take_registers() {}
// These are instructions of a whole warp (.sync.aligned): no lane goes on before the others are there.
inline void begin_products(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  collective(Collective::sync, 0xffffffffu, 0, 0, 32, file, line);
}
inline void commit_products() {}
template <int pending>
void wait_for_products(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  collective(Collective::sync, 0xffffffffu, 0, 0, 32, file, line);
}

// This thread's sums alone: the others' are computed when they call it.
void multiply_warpgroup(TensorInput input, float* sums, const void* a, const void* b, bool add);
template <TensorInput input>
void multiply_warpgroup(float (&sums)[kProductSums], const void* a, const void* b, bool add) {
  multiply_warpgroup(input, sums, a, b, add);
}

}  // namespace host_form

#endif

}  // namespace cairn::simt
