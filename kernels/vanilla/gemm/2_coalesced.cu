// gemm rung 2, coalesced: rung 1 with rows and columns exchanged between threadIdx.x and threadIdx.y.
//
// Neighbouring threads now take neighbouring COLUMNS of c: at each step of k a warp reads one element of a, the same
// for all 32 lanes (a broadcast), and, where b is not transposed, 32 consecutive elements of b (one transaction); it
// writes 32 consecutive elements of c. The same 2 m n k FLOPs, a fraction of the transactions. Limited by the caches:
// each element of a is still read n times and each of b m times.
#include "kernels/vanilla/gemm/element.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kColumns = 32;  // a block computes 8 x 32 elements: each of its 8 warps one row
constexpr int kRows = 8;

__global__ void coalesced_kernel(FloatProduct p, int tile_columns) {
  const int i = static_cast<int>(blockIdx.x) / tile_columns * kRows + static_cast<int>(threadIdx.y);
  const int j = static_cast<int>(blockIdx.x) % tile_columns * kColumns + static_cast<int>(threadIdx.x);
  if (i >= p.m || j >= p.n) return;
  float sum = 0.0f;
  for (int k = 0; k < p.k; ++k) sum += a_element(p, i, k) * b_element(p, k, j);
  store(p.output, i, j, sum);
}

}  // namespace

void gemm_coalesced(Stream& stream, const FloatProduct& product) {
  const int64_t tile_columns = divide_up(product.n, kColumns);
  simt::launch<coalesced_kernel>(stream, grid_x(divide_up(product.m, kRows) * tile_columns), dim3(kColumns, kRows), 0,
                                 product, static_cast<int>(tile_columns));
}

}  // namespace cairn::CAIRN_VANILLA
