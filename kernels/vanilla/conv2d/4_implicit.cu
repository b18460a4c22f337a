// Convolution rung 4, implicit gemm: gemm's rung 3, but the patches are not a matrix in memory: a thread works out
// where in x its element of the tile lies while it loads it.
//
//                  patches                            convolution: 16 filters x 16 places of results a block, 16 terms
//                  k0 +----+====+----+                at a time. A thread loads weight[m0 + y][k0 + x] and
//            k0       |    ||b ||    |                patches[k0 + y][n0 + x]: its place stays, its term moves on by 16
//      m0 +-+====+-+  +----+====+----+                each time.
//         | ||a || |                                  filter gradient: 16 filters x 16 terms, 16 places at a time. A
//         +-+====+-+  results                         thread loads dy[m0 + y][k0 + x] and patches[n0 + y][k0 + x]: its
//                                                     term stays, its place moves on.
//
// Of the memory traffic of rung 3 nothing is left but x itself. 2 * 16 FLOPs for each element that is looked up, which
// costs about 15 integer operations: limited by these, and by shared memory as gemm's rung 3 is.
#include "kernels/vanilla/conv2d/patch.h"
#include "kernels/vanilla/gemm/split_k.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kSide = 16;

struct ImplicitTile {
  static constexpr int kM = kSide, kN = kSide, kK = kSide;
  static constexpr int kMaxDepth = 4096;  // terms of one float sum (gemm/split_k.h)
};

__global__ void __launch_bounds__(kSide* kSide) implicit_kernel(Convolution p, int tile_columns) {
  CAIRN_SHARED(float[kSide][kSide + 1], a_tile);
  CAIRN_SHARED(float[kSide][kSide + 1], b_tile);
  const Patches& patches = p.patches;
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y), terms = patches.terms();
  const int filter = static_cast<int>(blockIdx.x) / tile_columns * kSide + y;
  const Triple place = split_place(patches, static_cast<int>(blockIdx.x) % tile_columns * kSide + x);
  const float* weight = p.weight + static_cast<int64_t>(filter) * terms;
  Triple term = split_term(patches, y);
  const Triple side = split_term(patches, kSide);
  float sum = 0.0f;
  for (int k0 = 0; k0 < terms; k0 += kSide) {
    a_tile[y][x] = filter < p.filters && k0 + x < terms ? weight[k0 + x] : 0.0f;
    b_tile[y][x] = element(patches, term, place);
    advance_term(patches, term, side);
    __syncthreads();
    CAIRN_UNROLL
    for (int k = 0; k < kSide; ++k) sum += a_tile[y][k] * b_tile[k][x];
    __syncthreads();
  }
  if (filter < p.filters && place.outer < patches.batch) store(p.output, filter, place, sum);
}

__global__ void __launch_bounds__(kSide* kSide) implicit_filter_kernel(FilterGradient p, Blocking blocking) {
  CAIRN_SHARED(float[kSide][kSide + 1], a_tile);
  CAIRN_SHARED(float[kSide][kSide + 1], b_tile);
  const BlockPlace at = block_place<ImplicitTile>(p, blocking);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const Triple term = split_term(p.b, at.n0 + y);
  Triple place = split_place(p.b, at.k_begin + x);
  const Triple side = split_place(p.b, kSide);
  float sum = 0.0f;
  for (int k0 = at.k_begin; k0 < at.k_end; k0 += kSide) {
    a_tile[y][x] = gradient(p, at.m0 + y, place);
    b_tile[x][y] = element(p.b, term, place);
    advance_place(p.b, place, side);
    __syncthreads();
    CAIRN_UNROLL
    for (int k = 0; k < kSide; ++k) sum += a_tile[y][k] * b_tile[k][x];
    __syncthreads();
  }
  Output output = p.output;
  output.c = at.c;
  if (at.m0 + y < p.m && at.n0 + x < p.n) store(output, at.m0 + y, at.n0 + x, sum);
}

}  // namespace

void convolve_implicit(Stream& stream, const Convolution& problem) {
  const int64_t tile_columns = divide_up(problem.patches.places(), kSide);
  simt::launch<implicit_kernel>(stream, grid_x(divide_up(problem.filters, kSide) * tile_columns), dim3(kSide, kSide), 0,
                                problem, static_cast<int>(tile_columns));
}

void filter_gradient_implicit(Stream& stream, const FilterGradient& problem) {
  launch_tiles<ImplicitTile>(stream, problem, [&](const FilterGradient& part, const Blocking& blocking, dim3 grid) {
    simt::launch<implicit_filter_kernel>(stream, grid, dim3(kSide, kSide), 0, part, blocking);
  });
}

}  // namespace cairn::CAIRN_VANILLA
