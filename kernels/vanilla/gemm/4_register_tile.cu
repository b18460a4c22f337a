// gemm rung 4, register tile: a thread computes 8 x 8 elements of c and keeps the 64 sums in registers.
//
// Block: 64 threads, a 64 x 64 tile of c, 16 steps of k at a time. Thread (x, y) of 8 x 8 owns rows y, y + 8, ... and
// columns x, x + 8, ... of the tile:
//
//                     b_tile[k][x + 8 j]
//                      . . x . . . . x ...          for each k: read 8 values of a and 8 of b from shared memory and
//   a_tile[y + 8 i][k] +----------------            multiply each with each: 64 multiplications for 16 reads, where
//          y           |   #         #              rung 3 needed 128.
//          y + 8       |   #         #
//
// 2 m n k FLOPs for 8 m n k / 64 bytes of global memory. Limited by the loads: scalar ones, waited for.
#include "kernels/vanilla/gemm/element.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kTile = 64;
constexpr int kDepth = 16;
constexpr int kPerThread = 8;
constexpr int kSide = kTile / kPerThread;  // threads along each side of the tile
constexpr int kThreads = kSide * kSide;

__global__ void __launch_bounds__(kThreads) register_tile_kernel(FloatProduct p, int tile_columns) {
  CAIRN_SHARED(float[kTile][kDepth + 1], a_tile);
  CAIRN_SHARED(float[kDepth][kTile + 1], b_tile);
  const int thread = static_cast<int>(threadIdx.x), x = thread % kSide, y = thread / kSide;
  const int m0 = static_cast<int>(blockIdx.x) / tile_columns * kTile;
  const int n0 = static_cast<int>(blockIdx.x) % tile_columns * kTile;
  float sum[kPerThread][kPerThread] = {};
  for (int k0 = 0; k0 < p.k; k0 += kDepth) {
    CAIRN_UNROLL
    for (int e = thread; e < kTile * kDepth; e += kThreads) {
      // Neighbouring threads along the operand's lines.
      const int a_row = p.a_along_k ? e / kDepth : e % kTile, a_k = p.a_along_k ? e % kDepth : e / kTile;
      const int b_column = p.b_along_k ? e / kDepth : e % kTile, b_k = p.b_along_k ? e % kDepth : e / kTile;
      const bool a_inside = m0 + a_row < p.m && k0 + a_k < p.k;
      const bool b_inside = n0 + b_column < p.n && k0 + b_k < p.k;
      a_tile[a_row][a_k] = a_inside ? a_element(p, m0 + a_row, k0 + a_k) : 0.0f;
      b_tile[b_k][b_column] = b_inside ? b_element(p, k0 + b_k, n0 + b_column) : 0.0f;
    }
    __syncthreads();
    CAIRN_UNROLL
    for (int k = 0; k < kDepth; ++k) {
      float a[kPerThread], b[kPerThread];
      CAIRN_UNROLL
      for (int i = 0; i < kPerThread; ++i) a[i] = a_tile[y + i * kSide][k];
      CAIRN_UNROLL
      for (int j = 0; j < kPerThread; ++j) b[j] = b_tile[k][x + j * kSide];
      CAIRN_UNROLL
      for (int i = 0; i < kPerThread; ++i) {
        CAIRN_UNROLL
        for (int j = 0; j < kPerThread; ++j) sum[i][j] += a[i] * b[j];
      }
    }
    __syncthreads();
  }
  CAIRN_UNROLL
  for (int i = 0; i < kPerThread; ++i) {
    CAIRN_UNROLL
    for (int j = 0; j < kPerThread; ++j) {
      const int row = m0 + y + i * kSide, column = n0 + x + j * kSide;
      if (row < p.m && column < p.n) store(p.output, row, column, sum[i][j]);
    }
  }
}

}  // namespace

void gemm_register_tile(Stream& stream, const FloatProduct& product) {
  const int64_t tile_columns = divide_up(product.n, kTile);
  simt::launch<register_tile_kernel>(stream, grid_x(divide_up(product.m, kTile) * tile_columns), kThreads, 0, product,
                                     static_cast<int>(tile_columns));
}

}  // namespace cairn::CAIRN_VANILLA
