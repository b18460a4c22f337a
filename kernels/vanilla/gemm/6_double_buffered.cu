// gemm rung 6, double-buffered: there are two pairs of tiles in shared memory, and while one pair is multiplied the
// other is filled:
//
//   tiles 0   | load k0 = 0 | multiply 0  | load 2      | multiply 2 ...
//   tiles 1   |             | load 1      | multiply 1  | load 3     ...
//                           ^ one barrier a step instead of two
//
// An operand that lies the way its tile does is copied from global to shared memory by cp.async, which takes no
// registers and does not stop the thread. One that must be turned (a given transposed, b given transposed) passes
// through registers: read before the multiplication, written to the other tiles after it.
// FLOPs and bytes as in rung 5; the wait for global memory is hidden. Limited by arithmetic and shared memory.
#include "kernels/vanilla/gemm/split_k.h"
#include "kernels/vanilla/gemm/tile.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// One operand's way from global memory into a tile, lines of kLength floats that are kLines of the operand's own.
template <int kLines, int kLength, int kStride, int kThreads>
struct StraightTransfer {
  using Own = Groups<kLines, kLength, kThreads>;
  static __device__ __forceinline__ void start(float* tile, const FloatLines& lines, int line0, int position0,
                                               int thread) {
    CAIRN_UNROLL
    for (int j = 0; j < Own::kCount; ++j) {
      const int line = Own::line(thread, j), position = Own::position(thread);
      if (line >= kLines) continue;
      const int from_line = line0 + line, from = position0 + position;
      float* to = tile + line * kStride + position;
      if (lines.vectors && from_line < lines.lines && from + 3 < lines.length)
        simt::copy_async16(to, lines.data + from_line * lines.stride + from);
      else
        load4<false>(lines, from_line, from).store(to);
    }
  }
};

// The same for an operand whose lines are the tile's columns.
template <int kLines, int kLength, int kStride, int kThreads>
struct TurnedTransfer {
  using Own = Groups<kLines / 4, kLength, kThreads>;
  simt::Fragment<4> squares[Own::kCount][4];

  __device__ __forceinline__ void start(const FloatLines& lines, int line0, int position0, int thread) {
    CAIRN_UNROLL
    for (int j = 0; j < Own::kCount; ++j) {
      CAIRN_UNROLL
      for (int i = 0; i < 4; ++i)
        squares[j][i] = load4<false>(lines, line0 + Own::line(thread, j) * 4 + i, position0 + Own::position(thread));
    }
  }
  __device__ __forceinline__ void finish(float* tile, int thread) {
    CAIRN_UNROLL
    for (int j = 0; j < Own::kCount; ++j) {
      const int line = Own::line(thread, j) * 4, position = Own::position(thread);
      if (line >= kLines) continue;
      simt::transpose(squares[j]);
      CAIRN_UNROLL
      for (int i = 0; i < 4; ++i) squares[j][i].store(tile + (position + i) * kStride + line);
    }
  }
};

// Both operands' way into a pair of tiles: between start and finish a thread can do something else.
template <class Shape>
struct Transfer {
  static constexpr int kM = Shape::kM, kN = Shape::kN, kK = Shape::kK, kThreads = Shape::kThreads;
  TurnedTransfer<kN, kK, Shape::kStrideB, kThreads> turned_b;

  __device__ __forceinline__ void start(const FloatProduct& p, float* a_tile, float* b_tile, int m0, int n0, int k0,
                                        int thread) {
    if (p.a_along_k)
      StraightTransfer<kM, kK, Shape::kStrideMK, kThreads>::start(a_tile, p.a, m0, k0, thread);
    else
      StraightTransfer<kK, kM, Shape::kStrideKM, kThreads>::start(a_tile, p.a, k0, m0, thread);
    if (p.b_along_k)
      turned_b.start(p.b, n0, k0, thread);
    else
      StraightTransfer<kK, kN, Shape::kStrideB, kThreads>::start(b_tile, p.b, k0, n0, thread);
    simt::copy_async_commit();
  }
  __device__ __forceinline__ void finish(const FloatProduct& p, float* b_tile, int thread) {
    if (p.b_along_k) turned_b.finish(b_tile, thread);
    simt::copy_async_wait<0>();
  }
};

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads) double_buffered_kernel(FloatProduct p, Blocking blocking) {
  CAIRN_SHARED(float[2][Shape::kFloatsA], a_tiles);
  CAIRN_SHARED(float[2][Shape::kFloatsB], b_tiles);
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x), x = thread / Shape::kThreadsY, y = thread % Shape::kThreadsY;
  const ResultPlace place{p.m, p.n, at.m0, at.n0, x, y, p.a_along_k};
  const bool computes = has_results<Shape>(place);
  Sums<Shape> sum;
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) sum[i].zero();

  Transfer<Shape> transfer;
  int filled = 0;  // which of the two pairs
  transfer.start(p, a_tiles[0], b_tiles[0], at.m0, at.n0, at.k_begin, thread);
  transfer.finish(p, b_tiles[0], thread);
  __syncthreads();
  for (int k0 = at.k_begin; k0 < at.k_end; k0 += Shape::kK) {
    const int next = k0 + Shape::kK, empty = 1 - filled;
    if (next < at.k_end) transfer.start(p, a_tiles[empty], b_tiles[empty], at.m0, at.n0, next, thread);
    if (computes)
      multiply_tiles<Shape>(sum, p.a_along_k, a_tiles[filled], b_tiles[filled], depth_at<Shape>(at, k0), x, y);
    if (next < at.k_end) {
      transfer.finish(p, b_tiles[empty], thread);
      __syncthreads();
    }
    filled = empty;
  }
  if (computes) store_tile<Shape>(sum, p.output, at.c, blocking.vectors, place);
}

template <class Shape>
void launch_shape(Stream& stream, const FloatProduct& product) {
  launch_tiles<Shape>(stream, product, [&](const FloatProduct& part, const Blocking& blocking, dim3 grid) {
    simt::launch<double_buffered_kernel<Shape>>(stream, grid, Shape::kThreads, 0, part, blocking);
  });
}

}  // namespace

void gemm_double_buffered(Stream& stream, const FloatProduct& product) {
  // The large tile where it still gives a GPU's multiprocessors one block each, more or less.
  constexpr int64_t kManyTiles = 96;
  if (divide_up(product.m, 128) * divide_up(product.n, 128) >= kManyTiles)
    launch_shape<TileShape<128, 128, 16, 4>>(stream, product);
  else
    launch_shape<TileShape<64, 64, 32, 4>>(stream, product);
}

}  // namespace cairn::CAIRN_VANILLA
