// gemm rung 5, vectorised: rung 4 with four floats a load and a store, runs of 16 sums as register fragments, and the
// tile's shape chosen for the problem. Bytes are converted while their tile is loaded, so this kernel also is the
// byte_linear product. Where c is small and k is long, k is split over blocks and a second pass adds the slices.
// Not here: the tile picture and the device code (tile.h).
//
// 2 kM kN kK FLOPs for 4 kK (kM + kN) bytes of global memory a tile: 21 FLOPs a byte for 64 x 128, 13 for 128 x 32.
// Limited by arithmetic and shared memory in the large shape, by the wait for the tile, which rung 6 hides, in the
// small ones.
#include "kernels/vanilla/gemm/split_k.h"
#include "kernels/vanilla/gemm/tile.h"

namespace cairn::CAIRN_VANILLA {
namespace {

template <class Shape, class A, class B>
__global__ void __launch_bounds__(Shape::kThreads) vectorised_kernel(Product<A, B> p, Blocking blocking) {
  CAIRN_SHARED(float[Shape::kFloatsA], a_tile);
  CAIRN_SHARED(float[Shape::kFloatsB], b_tile);
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x), x = thread / Shape::kThreadsY, y = thread % Shape::kThreadsY;
  const ResultPlace place{p.m, p.n, at.m0, at.n0, x, y, a_along_k(p)};
  const bool computes = has_results<Shape>(place);
  Sums<Shape> sum;
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) sum[i].zero();

  for (int k0 = at.k_begin; k0 < at.k_end; k0 += Shape::kK) {
    const int depth = depth_at<Shape>(at, k0);
    if (k0 > at.k_begin) __syncthreads();  // everyone is done with the last tiles
    load_tiles<Shape>(p, a_tile, b_tile, at.m0, at.n0, k0, depth, thread);
    __syncthreads();
    if (computes) multiply_tiles<Shape>(sum, a_along_k(p), a_tile, b_tile, depth, x, y);
  }
  if (computes) store_tile<Shape>(sum, p.output, at.c, blocking.vectors, place);
}

template <class Shape, class A, class B>
void launch_shape(Stream& stream, const Product<A, B>& product) {
  const auto launch = [&](const Product<A, B>& part, const Blocking& blocking, dim3 grid) {
    simt::launch<vectorised_kernel<Shape, A, B>>(stream, grid, Shape::kThreads, 0, part, blocking);
  };
  launch_tiles<Shape>(stream, product, launch, Shape::kThreads <= 32);
}

}  // namespace

// The shapes: c may be flat (the gradient of a weight with few outputs), narrow (a layer with few outputs, for many
// samples or for a batch), or large in both directions.
template <class A, class B>
void gemm_vectorised(Stream& stream, const Product<A, B>& product) {
  if (product.m <= 32)
    launch_shape<TileShape<32, 64, 64, 4>>(stream, product);
  else if (product.n <= 16)
    launch_shape<TileShape<64, 16, 32, 4>>(stream, product);
  else if (product.n <= 64 && product.m >= 1024)
    launch_shape<TileShape<128, 32, 64, 8>>(stream, product);
  else if (product.n <= 64)
    launch_shape<TileShape<64, 32, 32, 4>>(stream, product);
  else
    launch_shape<TileShape<64, 128, 32, 8>>(stream, product);
}

template void gemm_vectorised(Stream&, const Product<FloatLines, FloatLines>&);
template void gemm_vectorised(Stream&, const Product<ByteLines, FloatLines>&);
template void gemm_vectorised(Stream&, const Product<FloatLines, ByteLines>&);

}  // namespace cairn::CAIRN_VANILLA
