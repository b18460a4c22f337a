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

// One operand's way from global memory into a tile of kLines lines of kLength floats. `straight`: its lines are the
// tile's lines; otherwise they are the tile's columns.
template <int kLines, int kLength, int kStride, int kThreads>
struct Transfer {
  using Straight = Groups<kLines, kLength, kThreads>;
  using Turned = Groups<kLength, kLines, kThreads>;
  float4 staged[Turned::kCount] = {};

  // Begins to fill the tile from line `line0` of the tile's lines, position `position0` on them.
  __device__ __forceinline__ void start(float* tile, const FloatLines& lines, bool straight, int line0, int position0,
                                        int thread) {
    if (straight) {
      CAIRN_UNROLL
      for (int j = 0; j < Straight::kCount; ++j) {
        const int line = Straight::line(thread, j), position = Straight::position(thread);
        const int from_line = line0 + line, from = position0 + position;
        if (lines.vectors && from_line < lines.lines && from + 3 < lines.length)
          simt::copy_async16(tile + line * kStride + position, lines.data + from_line * lines.stride + from);
        else
          store_straight<kStride>(tile, line, position, load4(lines, from_line, from));
      }
    } else {
      CAIRN_UNROLL
      for (int j = 0; j < Turned::kCount; ++j)
        staged[j] = load4(lines, position0 + Turned::line(thread, j), line0 + Turned::position(thread));
    }
    simt::copy_async_commit();
  }

  __device__ __forceinline__ void finish(float* tile, bool straight, int thread) const {
    if (straight) return;
    CAIRN_UNROLL
    for (int j = 0; j < Turned::kCount; ++j)
      store_turned<kStride>(tile, Turned::line(thread, j), Turned::position(thread), staged[j]);
  }
};

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads) double_buffered_kernel(FloatProduct p, Blocking blocking) {
  __shared__ __align__(16) float a_tiles[2][Shape::kM * Shape::kStrideA];
  __shared__ __align__(16) float b_tiles[2][Shape::kK * Shape::kStrideB];
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x), x = thread / Shape::kThreadsY, y = thread % Shape::kThreadsY;
  simt::Fragment<8> sum[Shape::kRows];
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) sum[i].zero();

  Transfer<Shape::kM, Shape::kK, Shape::kStrideA, Shape::kThreads> a;
  Transfer<Shape::kK, Shape::kN, Shape::kStrideB, Shape::kThreads> b;
  const bool a_straight = p.a_along_k, b_straight = !p.b_along_k;
  int filled = 0;  // which of the two pairs
  a.start(a_tiles[0], p.a, a_straight, at.m0, at.k_begin, thread);
  b.start(b_tiles[0], p.b, b_straight, at.k_begin, at.n0, thread);
  a.finish(a_tiles[0], a_straight, thread);
  b.finish(b_tiles[0], b_straight, thread);
  simt::copy_async_wait<0>();
  __syncthreads();
  for (int k0 = at.k_begin; k0 < at.k_end; k0 += Shape::kK) {
    const int next = k0 + Shape::kK, empty = 1 - filled;
    if (next < at.k_end) {
      a.start(a_tiles[empty], p.a, a_straight, at.m0, next, thread);
      b.start(b_tiles[empty], p.b, b_straight, next, at.n0, thread);
    }
    multiply_tiles<Shape>(sum, a_tiles[filled], b_tiles[filled], at.k_end - k0, x, y);
    if (next < at.k_end) {
      a.finish(a_tiles[empty], a_straight, thread);
      b.finish(b_tiles[empty], b_straight, thread);
      simt::copy_async_wait<0>();
      __syncthreads();
    }
    filled = empty;
  }
  store_tile<Shape>(sum, at.output, blocking.vectors, p.m, p.n, at.m0, at.n0, x, y);
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
    launch_shape<TileShape<128, 128, 16, 8>>(stream, product);
  else
    launch_shape<TileShape<64, 64, 32, 8>>(stream, product);
}

}  // namespace cairn::CAIRN_VANILLA
