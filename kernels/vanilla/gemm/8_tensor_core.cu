// gemm rung 8, tensor cores: the inputs are rounded to TF32 (10 bits of mantissa instead of 23) and multiplied by the
// tensor cores, sums stay float32. GPU only, and only where --precision allows the rounding. Not yet run on a GPU.
//
// Block: 128 threads, a 64 x 64 tile of c, 32 steps of k at a time, tiles as in tile.h. Each of the four warps owns a
// quarter of 32 x 32 as 2 x 2 accumulators of 16 x 16, which the warp holds together:
//
//        warp 0 | warp 1        for each 8 steps of k a warp loads 2 pieces of a (16 x 8) and 2 of b (8 x 16) from
//        -------+-------        shared memory, rounds them, and issues 4 matrix multiplications of 4096 FLOPs
//        warp 2 | warp 3
//
// The accumulators' layout is the hardware's secret, so they go through shared memory before bias, ReLU and the edges
// of c are seen to. Limited by the loads from shared memory.
#include "kernels/vanilla/gemm/split_k.h"
#include "kernels/vanilla/gemm/tile.h"

#if defined(__CUDACC__)
#include <mma.h>
#endif

namespace cairn::CAIRN_VANILLA {

#if defined(__CUDACC__)
namespace {

namespace wmma = nvcuda::wmma;

using Shape = TileShape<64, 64, 32, 2>;
constexpr int kSide = 16, kDepth = 8;  // of one matrix multiplication
constexpr int kPieces = 2;             // along each side of a warp's quarter

template <class Piece>
__device__ __forceinline__ void round_to_tf32(Piece& piece) {
  for (int i = 0; i < piece.num_elements; ++i) piece.x[i] = wmma::__float_to_tf32(piece.x[i]);
}

// All kK steps, zeros beyond the end of k, because a multiplication takes eight; and a as [m][k] in any case.
__device__ __forceinline__ void load_whole_tiles(const FloatProduct& p, float* a_tile, float* b_tile, int m0, int n0,
                                                 int k0, int thread) {
  constexpr int kM = Shape::kM, kN = Shape::kN, kK = Shape::kK, kThreads = Shape::kThreads;
  if (p.a_along_k)
    load_straight<TileForm{kM, kK, Shape::kStrideMK, kThreads}>(a_tile, p.a, {m0, k0, kM, kK}, thread);
  else
    load_turned<TileForm{kK, kM, Shape::kStrideMK, kThreads}>(a_tile, p.a, {k0, m0, kK, kM}, thread);
  if (p.b_along_k)
    load_turned<TileForm{kN, kK, Shape::kStrideB, kThreads}>(b_tile, p.b, {n0, k0, kN, kK}, thread);
  else
    load_straight<TileForm{kK, kN, Shape::kStrideB, kThreads}>(b_tile, p.b, {k0, n0, kK, kN}, thread);
}

__global__ void __launch_bounds__(Shape::kThreads) tensor_core_kernel(FloatProduct p, Blocking blocking) {
  CAIRN_SHARED(float[Shape::kM * Shape::kStrideMK], a_tile);
  CAIRN_SHARED(float[Shape::kFloatsB], b_tile);
  CAIRN_SHARED(float[Shape::kM * Shape::kStrideB], c_tile);
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int row0 = warp / 2 * kPieces * kSide, column0 = warp % 2 * kPieces * kSide;  // the warp's quarter
  wmma::fragment<wmma::accumulator, kSide, kSide, kDepth, float> sum[kPieces][kPieces];
  for (int i = 0; i < kPieces; ++i)
    for (int j = 0; j < kPieces; ++j) wmma::fill_fragment(sum[i][j], 0.0f);

  for (int k0 = at.k_begin; k0 < at.k_end; k0 += Shape::kK) {
    if (k0 > at.k_begin) __syncthreads();
    load_whole_tiles(p, a_tile, b_tile, at.m0, at.n0, k0, thread);
    __syncthreads();
    CAIRN_UNROLL
    for (int k = 0; k < Shape::kK; k += kDepth) {
      wmma::fragment<wmma::matrix_a, kSide, kSide, kDepth, wmma::precision::tf32, wmma::row_major> a[kPieces];
      wmma::fragment<wmma::matrix_b, kSide, kSide, kDepth, wmma::precision::tf32, wmma::row_major> b[kPieces];
      CAIRN_UNROLL
      for (int i = 0; i < kPieces; ++i) {
        wmma::load_matrix_sync(a[i], a_tile + (row0 + i * kSide) * Shape::kStrideMK + k, Shape::kStrideMK);
        wmma::load_matrix_sync(b[i], b_tile + k * Shape::kStrideB + column0 + i * kSide, Shape::kStrideB);
        round_to_tf32(a[i]);
        round_to_tf32(b[i]);
      }
      CAIRN_UNROLL
      for (int i = 0; i < kPieces; ++i) {
        CAIRN_UNROLL
        for (int j = 0; j < kPieces; ++j) wmma::mma_sync(sum[i][j], a[i], b[j], sum[i][j]);
      }
    }
  }

  CAIRN_UNROLL
  for (int i = 0; i < kPieces; ++i) {
    CAIRN_UNROLL
    for (int j = 0; j < kPieces; ++j)
      wmma::store_matrix_sync(c_tile + (row0 + i * kSide) * Shape::kStrideB + column0 + j * kSide, sum[i][j],
                              Shape::kStrideB, wmma::mem_row_major);
  }
  __syncthreads();
  Output output = p.output;
  output.c = at.c;
  for (int e = thread; e < Shape::kM * Shape::kN; e += Shape::kThreads) {
    const int i = e / Shape::kN, j = e % Shape::kN;
    if (at.m0 + i < p.m && at.n0 + j < p.n) store(output, at.m0 + i, at.n0 + j, c_tile[i * Shape::kStrideB + j]);
  }
}

}  // namespace

void gemm_tensor_core(Stream& stream, const FloatProduct& product) {
  if (stream.precision == Precision::fp32)
    throw std::invalid_argument("vanilla: gemm rung 8 rounds its inputs to TF32: ask for it with --precision tf32");
  launch_tiles<Shape>(stream, product, [&](const FloatProduct& part, const Blocking& blocking, dim3 grid) {
    simt::launch<tensor_core_kernel>(stream, grid, Shape::kThreads, 0, part, blocking);
  });
}

#else

void gemm_tensor_core(Stream&, const FloatProduct&) {
  throw std::invalid_argument(
      "vanilla: gemm rung 8 needs a GPU's tensor cores; on the CPU the rungs are 1 to 7, 9 and 10");
}

#endif

}  // namespace cairn::CAIRN_VANILLA
