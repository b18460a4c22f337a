// gemm rung 5, vectorised: rung 4 with four floats a load and a store, rows of sums as register fragments, and the
// tile's shape chosen for the problem. Bytes are converted while their tile is loaded, so this kernel also is the
// byte_linear product. Where c is small and k is long, k is split over blocks and a second pass adds the slices.
// Not here: the tile picture and the device code (tile.h).
//
// 2 kM kN kK FLOPs for 4 kK (kM + kN) bytes of global memory a tile: 16 FLOPs a byte for 128 x 128, 4 for 32 x 32.
// Limited by arithmetic in the large shape, and by the wait for the tile, which rung 6 hides, in the small ones.
#include <algorithm>

#include "kernels/vanilla/gemm/tile.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// Grid: tiles of c x slices of k.
template <class Shape, class A, class B>
__global__ void __launch_bounds__(Shape::kThreads)
    vectorised_kernel(Product<A, B> p, int tile_columns, int k_per_slice, int64_t slice_stride, bool vectors) {
  __shared__ __align__(16) float a_tile[Shape::kM * Shape::kStrideA];
  __shared__ __align__(16) float b_tile[Shape::kK * Shape::kStrideB];
  const int thread = static_cast<int>(threadIdx.x), x = thread % Shape::kThreadsX, y = thread / Shape::kThreadsX;
  const int m0 = static_cast<int>(blockIdx.x) / tile_columns * Shape::kM;
  const int n0 = static_cast<int>(blockIdx.x) % tile_columns * Shape::kN;
  const int k_begin = static_cast<int>(blockIdx.y) * k_per_slice;
  const int k_end = k_begin + k_per_slice < p.k ? k_begin + k_per_slice : p.k;
  simt::Fragment<8> sum[Shape::kRows];
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) sum[i].zero();

  for (int k0 = k_begin; k0 < k_end; k0 += Shape::kK) {
    load_tiles<Shape>(p, a_tile, b_tile, m0, n0, k0, thread);
    __syncthreads();
    multiply_tiles<Shape>(sum, a_tile, b_tile, x, y);
    __syncthreads();
  }
  Output output = p.output;
  output.c += blockIdx.y * slice_stride;
  store_tile<Shape>(sum, output, vectors, p.m, p.n, m0, n0, x, y);
}

// How many slices to split k into: as many as give each at least kMinDepth steps, where there are few tiles of c. It
// depends on the sizes alone, so that the order of the sums does, too.
int slices_of(int64_t tiles, int m, int n, int k) {
  constexpr int64_t kFewTiles = 16, kEnoughBlocks = 256, kMinDepth = 128;
  if (tiles >= kFewTiles) return 1;
  const int64_t fit = kWorkspaceFloats / (int64_t{m} * n);
  return static_cast<int>(std::max(int64_t{1}, std::min({kEnoughBlocks / tiles, k / kMinDepth, fit})));
}

template <class Shape, class A, class B>
void launch_shape(Stream& stream, const Product<A, B>& product) {
  const int64_t tile_columns = divide_up(product.n, Shape::kN);
  const int64_t tiles = divide_up(product.m, Shape::kM) * tile_columns;
  int slices = slices_of(tiles, product.m, product.n, product.k);
  const auto k_per_slice = static_cast<int>(divide_up(divide_up(product.k, slices), Shape::kK) * Shape::kK);
  if (slices > 1) slices = static_cast<int>(divide_up(product.k, k_per_slice));
  const int64_t slice_stride = int64_t{product.m} * product.n;

  Product<A, B> part = product;
  if (slices > 1) {
    auto* partial = static_cast<float*>(stream.workspace(static_cast<size_t>(slices * slice_stride) * sizeof(float)));
    part.output = {partial, product.n, nullptr, false, false};
  }
  const bool vectors = reinterpret_cast<uintptr_t>(part.output.c) % 16 == 0 && part.output.ldc % 4 == 0;
  simt::launch<vectorised_kernel<Shape, A, B>>(stream, dim3(grid_x(tiles), static_cast<unsigned>(slices)),
                                               Shape::kThreads, 0, part, static_cast<int>(tile_columns), k_per_slice,
                                               slice_stride, vectors);
  if (slices > 1) reduce_slices(stream, slices, product.m, product.n, part.output.c, product.output);
}

}  // namespace

template <class A, class B>
void gemm_vectorised(Stream& stream, const Product<A, B>& product) {
  if (product.n <= 32 && product.m >= 512)
    launch_shape<TileShape<128, 32, 32, 8>>(stream, product);
  else if (product.m >= 96 && product.n >= 96)
    launch_shape<TileShape<128, 128, 32, 8>>(stream, product);
  else
    launch_shape<TileShape<32, 32, 32, 4>>(stream, product);
}

template void gemm_vectorised(Stream&, const Product<FloatLines, FloatLines>&);
template void gemm_vectorised(Stream&, const Product<ByteLines, FloatLines>&);
template void gemm_vectorised(Stream&, const Product<FloatLines, ByteLines>&);

}  // namespace cairn::CAIRN_VANILLA
