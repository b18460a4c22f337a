// gemm rung 3, shared-memory tile: a block reads each element of its part of a and b once into shared memory, and its
// 256 threads use it 16 times from there.
//
//                k0      k                     n0
//          +-----+----+------+        k0  +----+----+----+
//          |     |    |      |            |    |    |    |        for k0 = 0, 16, 32, ...
//      m0  +-----+====+------+            +----+====+----+          load the two 16 x 16 tiles, one element a thread
//          |     ||a ||      |            |    ||b ||    |          wait for all threads
//          +-----+====+------+            +----+====+----+          16 multiplications a thread
//          |     |    |      |            |    |    |    |          wait, before the tiles are overwritten
//
// Global memory traffic falls by 16: 2 m n k FLOPs for 8 m n k / 16 bytes. Limited by shared memory: each
// multiplication still reads two floats from it.
#include "kernels/vanilla/gemm/element.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kSide = 16;

__global__ void __launch_bounds__(kSide* kSide) shared_tile_kernel(FloatProduct p, int tile_columns) {
  CAIRN_SHARED(float[kSide][kSide + 1], a_tile);  // one column more, so that a column lies in 16 different banks
  CAIRN_SHARED(float[kSide][kSide + 1], b_tile);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const int m0 = static_cast<int>(blockIdx.x) / tile_columns * kSide;
  const int n0 = static_cast<int>(blockIdx.x) % tile_columns * kSide;
  float sum = 0.0f;
  for (int k0 = 0; k0 < p.k; k0 += kSide) {
    // Whichever way the operand lies, threadIdx.x runs along its lines, so that reads are coalesced.
    const int a_row = p.a_along_k ? y : x, a_k = p.a_along_k ? x : y;
    const int b_column = p.b_along_k ? y : x, b_k = p.b_along_k ? x : y;
    const bool a_inside = m0 + a_row < p.m && k0 + a_k < p.k;
    const bool b_inside = n0 + b_column < p.n && k0 + b_k < p.k;
    a_tile[a_row][a_k] = a_inside ? a_element(p, m0 + a_row, k0 + a_k) : 0.0f;
    b_tile[b_k][b_column] = b_inside ? b_element(p, k0 + b_k, n0 + b_column) : 0.0f;
    __syncthreads();
    CAIRN_UNROLL
    for (int k = 0; k < kSide; ++k) sum += a_tile[y][k] * b_tile[k][x];
    __syncthreads();
  }
  if (m0 + y < p.m && n0 + x < p.n) store(p.output, m0 + y, n0 + x, sum);
}

}  // namespace

void gemm_shared_tile(Stream& stream, const FloatProduct& product) {
  const int64_t tile_columns = divide_up(product.n, kSide);
  simt::launch<shared_tile_kernel>(stream, grid_x(divide_up(product.m, kSide) * tile_columns), dim3(kSide, kSide), 0,
                                   product, static_cast<int>(tile_columns));
}

}  // namespace cairn::CAIRN_VANILLA
