// Convolution rung 5, implicit gemm with register tiles: the tiles and the inner loop of gemm's rung 5, filled by
// loaders that see the patches (tile.h). A thread looks up four elements at once, and each is used kM times.
//
// 2 kM kN kK FLOPs for kK (kM + kN) elements looked up, at about five integer operations each; the taps of a channel
// find most of x in the caches. Limited by arithmetic for 32 filters and more; with few filters, as in LeNet's first
// layer (6), by the looking up.
#include "kernels/vanilla/conv2d/tile.h"

namespace cairn::CAIRN_VANILLA {
namespace {

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads) register_tile_kernel(Convolution p, int tile_columns) {
  CAIRN_SHARED(float[Shape::kFloatsA], a_tile);
  CAIRN_SHARED(float[Shape::kFloatsB], b_tile);
  const int m0 = static_cast<int>(blockIdx.x) / tile_columns * Shape::kM;
  const int n0 = static_cast<int>(blockIdx.x) % tile_columns * Shape::kN;
  const int thread = static_cast<int>(threadIdx.x), x = thread / Shape::kThreadsY, y = thread % Shape::kThreadsY;
  const int terms = p.patches.terms(), column = n0 + x * Shape::kColumns;
  const bool computes = m0 + y * Shape::kRows < p.filters && column < p.patches.places();
  ConvolutionLoader<Shape> loader(p, n0, thread);
  Sums<Shape> sum;
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) sum[i].zero();

  for (int k0 = 0; k0 < terms; k0 += Shape::kK) {
    const int left = (terms - k0 + 3) / 4 * 4, depth = left < Shape::kK ? left : Shape::kK;
    if (k0 > 0) __syncthreads();  // everyone is done with the last tiles
    loader.load(p, a_tile, b_tile, m0, k0, depth, thread);
    __syncthreads();
    if (computes) multiply_part<Shape, false>(sum, a_tile, b_tile, depth, x, y);
  }
  if (!computes) return;
  const Triple first = split_place(p.patches, column);
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) {
    const int filter = m0 + y * Shape::kRows + i;
    if (filter < p.filters) store_places(sum[i], p.output, p.patches, filter, first);
  }
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads) register_tile_filter_kernel(FilterGradient p, Blocking blocking) {
  CAIRN_SHARED(float[Shape::kFloatsA], a_tile);
  CAIRN_SHARED(float[Shape::kFloatsB], b_tile);
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x), x = thread / Shape::kThreadsY, y = thread % Shape::kThreadsY;
  const ResultPlace place{p.m, p.n, at.m0, at.n0, x, y, false};
  const bool computes = has_results<Shape>(place);
  FilterGradientLoader<Shape> loader(p, at.n0, at.k_begin, thread);
  Sums<Shape> sum;
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) sum[i].zero();

  for (int k0 = at.k_begin; k0 < at.k_end; k0 += Shape::kK) {
    if (k0 > at.k_begin) __syncthreads();
    loader.load(p, a_tile, b_tile, at.m0, thread);
    __syncthreads();
    if (computes) multiply_part<Shape, false>(sum, a_tile, b_tile, depth_at<Shape>(at, k0), x, y);
  }
  if (computes) store_tile<Shape>(sum, p.output, at.c, blocking.vectors, place);
}

// Calls launch with the shape for so many filters.
template <class Launch>
void with_shape(int filters, const Launch& launch) {
  if (filters <= 16)
    launch(TileShape<16, 128, 32, 4>{});
  else if (filters <= 32)
    launch(TileShape<32, 128, 32, 4>{});
  else
    launch(TileShape<64, 128, 32, 8>{});
}

}  // namespace

void convolve_register_tile(Stream& stream, const Convolution& problem) {
  with_shape(problem.filters, [&]<class Shape>(Shape) {
    const int64_t tile_columns = divide_up(problem.patches.places(), Shape::kN);
    simt::launch<register_tile_kernel<Shape>>(stream, grid_x(divide_up(problem.filters, Shape::kM) * tile_columns),
                                              Shape::kThreads, 0, problem, static_cast<int>(tile_columns));
  });
}

void filter_gradient_register_tile(Stream& stream, const FilterGradient& problem) {
  with_shape(problem.m, [&]<class Shape>(Shape) {
    launch_tiles<Shape>(stream, problem, [&](const FilterGradient& part, const Blocking& blocking, dim3 grid) {
      simt::launch<register_tile_filter_kernel<Shape>>(stream, grid, Shape::kThreads, 0, part, blocking);
    });
  });
}

}  // namespace cairn::CAIRN_VANILLA
