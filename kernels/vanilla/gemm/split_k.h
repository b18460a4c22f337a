// How the tiled rungs cut a product into blocks: tiles of c, and slices of k where there are too few tiles. Not here:
// what a block does (the rungs).
#pragma once

#include <algorithm>

#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {

// Block (x, y) of the grid computes tile (x / tile_columns, x % tile_columns) of c over steps
// [y * k_per_slice, (y + 1) * k_per_slice) of k.
struct Blocking {
  int tile_columns, k_per_slice;
  int64_t slice_stride;  // between the slices' results, in floats
  bool vectors;          // c's groups of four lie on 16-byte boundaries
};

// How many slices to split k into: so many that the processors have work where there are few tiles of c, and that no
// float sum has more than max_depth terms, whose rounding errors would add up; but none shorter than kMinDepth, and no
// more than the workspace holds. It depends on the sizes alone, so that the order of the sums does, too. On a GPU there
// are four times as many blocks of a single warp (`small_blocks`): the gradient of a weight with few outputs, over a
// full batch, would else give each multiprocessor two warps, which do nothing but wait.
template <bool on_gpu = kOnGpu>
int64_t slices_of(int64_t tiles, int64_t m, int64_t n, int64_t k, int64_t max_depth, bool small_blocks = false) {
  constexpr int64_t kMinDepth = 128, kMaxSlices = 1024;
  const int64_t enough_blocks = !on_gpu ? 16 : small_blocks ? 1024 : 256, few_tiles = enough_blocks / (on_gpu ? 4 : 2);
  const int64_t wanted = std::max(tiles < few_tiles ? enough_blocks / tiles : 1, divide_up(k, max_depth));
  return std::max(int64_t{1}, std::min({wanted, k / kMinDepth, kWorkspaceFloats / (m * n), kMaxSlices}));
}

// Calls launch(product, blocking, grid) once; with several slices, into the workspace, and then adds the slices.
// small_blocks: of at most one warp.
template <class Shape, class A, class B, class Launch>
void launch_tiles(Stream& stream, const Product<A, B>& product, const Launch& launch, bool small_blocks = false) {
  const int64_t m = product.m, n = product.n, k = product.k;
  const int64_t tile_columns = divide_up(n, Shape::kN);
  const int64_t tiles = divide_up(m, Shape::kM) * tile_columns;
  const int64_t wanted = slices_of(tiles, m, n, k, Shape::kMaxDepth, small_blocks);
  const int64_t k_per_slice = divide_up(divide_up(k, wanted), Shape::kK) * Shape::kK;
  const int64_t slices = k > 0 ? divide_up(k, k_per_slice) : 1;

  Product<A, B> part = product;
  if (slices > 1) {
    auto* partial = static_cast<float*>(stream.workspace(static_cast<size_t>(slices * m * n) * sizeof(float)));
    part.output = {partial, n, nullptr, false, false};
  }
  const bool vectors = reinterpret_cast<uintptr_t>(part.output.c) % 16 == 0 && part.output.ldc % 4 == 0 &&
                       (slices == 1 || m * n % 4 == 0);
  launch(part, Blocking{static_cast<int>(tile_columns), static_cast<int>(k_per_slice), m * n, vectors},
         dim3(grid_x(tiles), static_cast<unsigned>(slices)));
  if (slices > 1) reduce_slices(stream, static_cast<int>(slices), m, n, part.output.c, product.output);
}

// Device side: this block's place, and the matrix it writes to (c, or a slice of the workspace). No copy of Output: on
// the CPU each thread would wait for it.
struct BlockPlace {
  int m0, n0, k_begin, k_end;
  float* c;
};
template <class Shape, class A, class B>
__device__ __forceinline__ BlockPlace block_place(const Product<A, B>& p, const Blocking& blocking) {
  const int tile = static_cast<int>(blockIdx.x), k_begin = static_cast<int>(blockIdx.y) * blocking.k_per_slice;
  return {tile / blocking.tile_columns * Shape::kM, tile % blocking.tile_columns * Shape::kN, k_begin,
          p.k - k_begin < blocking.k_per_slice ? p.k : k_begin + blocking.k_per_slice,
          p.output.c + blockIdx.y * blocking.slice_stride};
}

// How many of the kK steps from k0 on there are, rounded up to four (beyond the end of k the tiles hold zeros).
template <class Shape>
__device__ __forceinline__ int depth_at(const BlockPlace& at, int k0) {
  const int left = (at.k_end - k0 + 3) / 4 * 4;
  return left < Shape::kK ? left : Shape::kK;
}

}  // namespace cairn::CAIRN_VANILLA
