// gemm rung 1, naive: one thread an element of c, which reads a row of a and a column of b.
//
// Neighbouring threads (threadIdx.x) take neighbouring ROWS of c, as a C programmer would number them. So at each step
// of k a warp, 16 threads in x by 2 in y, reads 16 elements of a that are a whole line apart: 16 memory transactions
// for 64 useful bytes. 2 m n k FLOPs for 8 m n k bytes asked of the caches: limited by memory transactions.
#include "kernels/vanilla/gemm/element.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kSide = 16;  // a block computes 16 x 16 elements

__global__ void naive_kernel(FloatProduct p, int tile_columns) {
  const int i = static_cast<int>(blockIdx.x) / tile_columns * kSide + static_cast<int>(threadIdx.x);
  const int j = static_cast<int>(blockIdx.x) % tile_columns * kSide + static_cast<int>(threadIdx.y);
  if (i >= p.m || j >= p.n) return;
  float sum = 0.0f;
  for (int k = 0; k < p.k; ++k) sum += a_element(p, i, k) * b_element(p, k, j);
  store(p.output, i, j, sum);
}

}  // namespace

void gemm_naive(Stream& stream, const FloatProduct& product) {
  const int64_t tile_columns = divide_up(product.n, kSide);
  simt::launch<naive_kernel>(stream, grid_x(divide_up(product.m, kSide) * tile_columns), dim3(kSide, kSide), 0, product,
                             static_cast<int>(tile_columns));
}

}  // namespace cairn::CAIRN_VANILLA
