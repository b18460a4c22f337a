// Convolution rung 6, tensor cores: rung 5's loaders fill the tiles, gemm's rung 8 multiplies them: the elements are
// rounded to TF32 (10 bits of mantissa instead of 23), sums stay float32. GPU only, and only where --precision allows
// the rounding. Not yet run on a GPU.
//
// Block: 128 threads, 64 filters x 64 places (of the filter gradient: terms), 32 steps at a time; each of the four
// warps owns a quarter of 32 x 32 as 2 x 2 accumulators of 16 x 16. a_tile is [k][m], which the tensor cores call
// column-major. Expected to be limited by the looking up of x, which costs what it costs in rung 5.
#include "kernels/vanilla/conv2d/tile.h"

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

struct Accumulators {
  wmma::fragment<wmma::accumulator, kSide, kSide, kDepth, float> sum[kPieces][kPieces];

  __device__ __forceinline__ void zero() {
    for (int i = 0; i < kPieces; ++i)
      for (int j = 0; j < kPieces; ++j) wmma::fill_fragment(sum[i][j], 0.0f);
  }
  template <class Piece>
  __device__ __forceinline__ static void round_to_tf32(Piece& piece) {
    for (int i = 0; i < piece.num_elements; ++i) piece.x[i] = wmma::__float_to_tf32(piece.x[i]);
  }
  // All kK steps of the tiles.
  __device__ __forceinline__ void multiply(const float* a_tile, const float* b_tile, int row0, int column0) {
    CAIRN_UNROLL
    for (int k = 0; k < Shape::kK; k += kDepth) {
      wmma::fragment<wmma::matrix_a, kSide, kSide, kDepth, wmma::precision::tf32, wmma::col_major> a[kPieces];
      wmma::fragment<wmma::matrix_b, kSide, kSide, kDepth, wmma::precision::tf32, wmma::row_major> b[kPieces];
      CAIRN_UNROLL
      for (int i = 0; i < kPieces; ++i) {
        wmma::load_matrix_sync(a[i], a_tile + k * Shape::kStrideKM + row0 + i * kSide, Shape::kStrideKM);
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
  // c_tile[row][column]: the accumulators' layout is the hardware's secret.
  __device__ __forceinline__ void spill(float* c_tile, int row0, int column0) const {
    CAIRN_UNROLL
    for (int i = 0; i < kPieces; ++i) {
      CAIRN_UNROLL
      for (int j = 0; j < kPieces; ++j)
        wmma::store_matrix_sync(c_tile + (row0 + i * kSide) * Shape::kStrideB + column0 + j * kSide, sum[i][j],
                                Shape::kStrideB, wmma::mem_row_major);
    }
  }
};

__global__ void __launch_bounds__(Shape::kThreads) tensor_core_kernel(Convolution p, int tile_columns) {
  CAIRN_SHARED(float[Shape::kK * Shape::kStrideKM], a_tile);
  CAIRN_SHARED(float[Shape::kFloatsB], b_tile);
  CAIRN_SHARED(float[Shape::kM * Shape::kStrideB], c_tile);
  const int m0 = static_cast<int>(blockIdx.x) / tile_columns * Shape::kM;
  const int n0 = static_cast<int>(blockIdx.x) % tile_columns * Shape::kN;
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int row0 = warp / 2 * kPieces * kSide, column0 = warp % 2 * kPieces * kSide;
  const int terms = p.patches.terms();
  ConvolutionLoader<Shape> loader(p, n0, thread);
  Accumulators accumulators;
  accumulators.zero();
  for (int k0 = 0; k0 < terms; k0 += Shape::kK) {
    if (k0 > 0) __syncthreads();
    loader.load(p, a_tile, b_tile, m0, k0, Shape::kK, thread);
    __syncthreads();
    accumulators.multiply(a_tile, b_tile, row0, column0);
  }
  accumulators.spill(c_tile, row0, column0);
  __syncthreads();
  // A thread's place is the same in all its rows.
  static_assert(Shape::kThreads % Shape::kN == 0);
  const int column = thread % Shape::kN;
  const Triple place = split_place(p.patches, n0 + column);
  if (place.outer >= p.patches.batch) return;
  for (int row = thread / Shape::kN; row < Shape::kM; row += Shape::kThreads / Shape::kN)
    if (m0 + row < p.filters) store(p.output, m0 + row, place, c_tile[row * Shape::kStrideB + column]);
}

__global__ void __launch_bounds__(Shape::kThreads) tensor_core_filter_kernel(FilterGradient p, Blocking blocking) {
  CAIRN_SHARED(float[Shape::kK * Shape::kStrideKM], a_tile);
  CAIRN_SHARED(float[Shape::kFloatsB], b_tile);
  CAIRN_SHARED(float[Shape::kM * Shape::kStrideB], c_tile);
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int row0 = warp / 2 * kPieces * kSide, column0 = warp % 2 * kPieces * kSide;
  FilterGradientLoader<Shape> loader(p, at.n0, at.k_begin, thread);
  // The tensor cores multiply whole tiles: columns that the loader leaves out are zeros, once for all steps.
  for (int e = thread; e < Shape::kK * Shape::kN; e += Shape::kThreads)
    if (e % Shape::kN >= loader.terms) b_tile[e / Shape::kN * Shape::kStrideB + e % Shape::kN] = 0.0f;
  Accumulators accumulators;
  accumulators.zero();
  for (int k0 = at.k_begin; k0 < at.k_end; k0 += Shape::kK) {
    if (k0 > at.k_begin) __syncthreads();
    loader.load(p, a_tile, b_tile, at.m0, thread);
    __syncthreads();
    accumulators.multiply(a_tile, b_tile, row0, column0);
  }
  accumulators.spill(c_tile, row0, column0);
  __syncthreads();
  Output output = p.output;
  output.c = at.c;
  for (int e = thread; e < Shape::kM * Shape::kN; e += Shape::kThreads) {
    const int i = e / Shape::kN, j = e % Shape::kN;
    if (at.m0 + i < p.m && at.n0 + j < p.n) store(output, at.m0 + i, at.n0 + j, c_tile[i * Shape::kStrideB + j]);
  }
}

void check_precision(const Stream& stream) {
  if (stream.precision == Precision::fp32)
    throw std::invalid_argument("vanilla: conv2d rung 6 rounds its inputs to TF32: ask for it with --precision tf32");
}

}  // namespace

void convolve_tensor_core(Stream& stream, const Convolution& problem) {
  check_precision(stream);
  const int64_t tile_columns = divide_up(problem.patches.places(), Shape::kN);
  simt::launch<tensor_core_kernel>(stream, grid_x(divide_up(problem.filters, Shape::kM) * tile_columns),
                                   Shape::kThreads, 0, problem, static_cast<int>(tile_columns));
}

void filter_gradient_tensor_core(Stream& stream, const FilterGradient& problem) {
  check_precision(stream);
  launch_tiles<Shape>(stream, problem, [&](const FilterGradient& part, const Blocking& blocking, dim3 grid) {
    simt::launch<tensor_core_filter_kernel>(stream, grid, Shape::kThreads, 0, part, blocking);
  });
}

#else

namespace {

[[noreturn]] void refuse() {
  throw std::invalid_argument(
      "vanilla: conv2d rung 6 needs a GPU's tensor cores; on the CPU the rungs are 1 to 5, 7 and 8");
}

}  // namespace

void convolve_tensor_core(Stream&, const Convolution&) {
  refuse();
}

void filter_gradient_tensor_core(Stream&, const FilterGradient&) {
  refuse();
}

#endif

}  // namespace cairn::CAIRN_VANILLA
