// gemm rung 9, warp tiles: the block's tile is shared out to warps and the warps' to threads, and three pairs of tiles
// are on their way while one is multiplied (warp_tile.h has the picture).
//
// What rung 6 still pays for: its warps read a's rows one float at a time, and an operand that must be turned passes
// through registers. Here a thread reads both operands in groups of four without bank conflicts, 4 reads for 64
// multiplications, and turned operands are copied asynchronously too, four bytes at a time: cp.async costs an issue
// slot and an address for each copy, kM + kN of them a step of k, against kM kN / 32 instructions of multiplying.
//
// 2 kM kN kK FLOPs for 4 kK (kM + kN) bytes: with 128 x 128, 32 FLOPs a byte, where an H100 has 20 to a byte of memory
// (67 TFLOP/s, 3.35 TB/s) and more to one of its L2. Limited by arithmetic. Not yet run on a GPU.
#include "kernels/vanilla/gemm/split_k.h"
#include "kernels/vanilla/gemm/store.h"
#include "kernels/vanilla/gemm/warp_tile.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// Starts the copies of a tile [k][line]: kK steps of k from k0 on, of the lines (rows of a, columns of b) from line0
// on. Zeros beyond the edges of the matrix. A tile that has no edge takes the path without comparisons: what is not a
// multiplication costs as much as one.
template <int kLines, int kK, int kStride, int kThreads>
__device__ __forceinline__ void start_tile(float* tile, const FloatLines& x, bool along_k, int line0, int k0,
                                           int thread) {
  if (along_k) {  // x's lines are the tile's
    const float* from = x.data + line0 * x.stride + k0;
    const int lines = x.lines - line0, steps = x.length - k0;
    const auto element = [=](int line, int k) { return from + line * x.stride + k; };
    if (lines >= kLines && steps >= kK)
      turn_async<kLines, kK, kStride, kThreads>(tile, thread, element, [](int, int) { return true; });
    else
      turn_async<kLines, kK, kStride, kThreads>(tile, thread, element,
                                                [=](int line, int k) { return line < lines && k < steps; });
    return;
  }
  constexpr int kPerLine = kLines / 4, kStep = kThreads / kPerLine;
  static_assert(kThreads % kPerLine == 0 && kK % kStep == 0);
  const int position = thread % kPerLine * 4, k_first = thread / kPerLine;
  const int left = x.length - line0 - position, steps = x.lines - k0;
  const float* from = x.data + (k0 + k_first) * x.stride + line0 + position;
  float* to = tile + k_first * kStride + position;
  if (x.vectors && x.length - line0 >= kLines && steps >= kK) {
    CAIRN_UNROLL
    for (int k = 0; k < kK; k += kStep) simt::copy_async16(to + k * kStride, from + k * x.stride);
    return;
  }
  CAIRN_UNROLL
  for (int k = 0; k < kK; k += kStep) {
    CAIRN_UNROLL
    for (int i = 0; i < 4; ++i)
      simt::copy_async4(to + k * kStride + i, from + k * x.stride + i, k_first + k < steps && i < left);
  }
}

// Two blocks on a multiprocessor, so that one multiplies while the other waits at its barrier: 128 registers a thread
// for 256 threads.
template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, 512 / Shape::kThreads)
    warp_tile_kernel(FloatProduct p, Blocking blocking) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x);
  const WarpPlace<Shape> place(thread);
  WarpSums<Shape> sum;
  multiply_ring<Shape>(
      sum, shared, (at.k_end - at.k_begin + Shape::kK - 1) / Shape::kK, place,
      [&](float* a_tile, float* b_tile, int t) {
        const int k0 = at.k_begin + t * Shape::kK;
        start_tile<Shape::kM, Shape::kK, Shape::kStrideA, Shape::kThreads>(a_tile, p.a, p.a_along_k, at.m0, k0, thread);
        start_tile<Shape::kN, Shape::kK, Shape::kStrideB, Shape::kThreads>(b_tile, p.b, p.b_along_k, at.n0, k0, thread);
      });
  const int column = at.n0 + place.column0;
  if (column >= p.n) return;
  const auto bias = load_bias<Shape::kColumns>(p.output, column, p.n);
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) {
    const int row = at.m0 + place.row(i);
    if (row < p.m) store_run(sum[i], bias, p.output, at.c, blocking.vectors, row, column, p.n);
  }
}

template <class Shape>
void launch_shape(Stream& stream, const FloatProduct& product) {
  launch_tiles<Shape>(stream, product, [&](const FloatProduct& part, const Blocking& blocking, dim3 grid) {
    simt::launch<warp_tile_kernel<Shape>>(stream, grid, Shape::kThreads, Shape::kSharedBytes, part, blocking);
  });
}

}  // namespace

void gemm_warp_tile(Stream& stream, const FloatProduct& product) {
  // The large tile, which reads least, where it gives a GPU two rounds of blocks; otherwise four times as many small
  // ones, which fill its multiprocessors more evenly.
  constexpr int64_t kManyTiles = 256;
  if (divide_up(product.m, 128) * divide_up(product.n, 128) >= kManyTiles)
    launch_shape<WarpTileShape<128, 128, 16, 64, 32, 4>>(stream, product);
  else
    launch_shape<WarpTileShape<64, 64, 16, 32, 32, 4>>(stream, product);
}

}  // namespace cairn::CAIRN_VANILLA
