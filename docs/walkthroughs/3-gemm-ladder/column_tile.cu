// Walkthrough 3, the answer to its exercise: a rung between 3 and 4. A thread computes 4 elements of one column of c.
//
// Block: 16 x 16 threads, a 64 x 16 tile of c, 16 steps of k at a time. Thread (x, y) owns rows y, y + 16, y + 32 and
// y + 48 of column x:
//
//                    b_tile[k][x]
//                        x             for each k: 1 read of b and 4 of a for 4 multiplications, where rung 3 needed 8
//   a_tile[y     ][k]    #             and rung 4 needs 1
//   a_tile[y + 16][k]    #
//   a_tile[y + 32][k]    #
//   a_tile[y + 48][k]    #
//
// 2 * 64 * 16 FLOPs for 4 * (64 + 16) bytes of global memory at each step of k: 6.4 FLOPs a byte. Limited by shared
// memory, and on the CPU by barriers: two for 64 multiplications.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "kernels/vanilla/gemm/element.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kColumns = 16, kDepth = 16, kThreadsY = 16, kPerThread = 4, kRows = kThreadsY * kPerThread;

__global__ void __launch_bounds__(kColumns* kThreadsY) column_tile_kernel(FloatProduct p, int tile_columns) {
  CAIRN_SHARED(float[kRows][kDepth + 1], a_tile);
  CAIRN_SHARED(float[kDepth][kColumns + 1], b_tile);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const int m0 = static_cast<int>(blockIdx.x) / tile_columns * kRows;
  const int n0 = static_cast<int>(blockIdx.x) % tile_columns * kColumns;
  float sum[kPerThread] = {};
  for (int k0 = 0; k0 < p.k; k0 += kDepth) {
    CAIRN_UNROLL
    for (int i = 0; i < kPerThread; ++i) {
      const int row = y + i * kThreadsY;
      const bool inside = m0 + row < p.m && k0 + x < p.k;
      a_tile[row][x] = inside ? a_element(p, m0 + row, k0 + x) : 0.0f;
    }
    b_tile[y][x] = k0 + y < p.k && n0 + x < p.n ? b_element(p, k0 + y, n0 + x) : 0.0f;
    __syncthreads();
    CAIRN_UNROLL
    for (int k = 0; k < kDepth; ++k) {
      const float b = b_tile[k][x];
      CAIRN_UNROLL
      for (int i = 0; i < kPerThread; ++i) sum[i] += a_tile[y + i * kThreadsY][k] * b;
    }
    __syncthreads();
  }
  CAIRN_UNROLL
  for (int i = 0; i < kPerThread; ++i) {
    const int row = m0 + y + i * kThreadsY;
    if (row < p.m && n0 + x < p.n) store(p.output, row, n0 + x, sum[i]);
  }
}

void gemm_column_tile(Stream& stream, const FloatProduct& product) {
  const int64_t tile_columns = divide_up(product.n, kColumns);
  simt::launch<column_tile_kernel>(stream, grid_x(divide_up(product.m, kRows) * tile_columns),
                                   dim3(kColumns, kThreadsY), 0, product, static_cast<int>(tile_columns));
}

// Runs one rung on c[m, n] = a[m, k] b[k, n], says how fast, and whether every element is right. The inputs are small
// whole numbers, so that a float sum is exact in any order.
bool try_rung(const char* name, void (*rung)(Stream&, const FloatProduct&), int m, int n, int k) {
  StreamOptions options{};
  options.threads = 1;
  Stream stream(options);
  std::vector<float> a, b, c(static_cast<size_t>(m) * static_cast<size_t>(n));
  for (int i = 0; i < m * k; ++i) a.push_back(static_cast<float>(i * 7 % 11 - 5));
  for (int i = 0; i < k * n; ++i) b.push_back(static_cast<float>(i * 5 % 13 - 6));
  const FloatProduct product{m,
                             n,
                             k,
                             {a.data(), k, m, k, false},
                             {b.data(), n, k, n, false},
                             true,
                             false,
                             {c.data(), n, nullptr, false, false}};
  double best = 1e9;
  for (int run = 0; run < 3; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    rung(stream, product);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  int wrong = 0;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      int sum = 0;
      for (int p = 0; p < k; ++p)
        sum +=
            static_cast<int>(a[static_cast<size_t>(i * k + p)]) * static_cast<int>(b[static_cast<size_t>(p * n + j)]);
      wrong += c[static_cast<size_t>(i * n + j)] != static_cast<float>(sum);
    }
  std::printf("%-14s %4d x %4d x %4d: %d wrong, %.2f GFLOP/s\n", name, m, n, k, wrong, 2e-9 * m * n * k / best);
  return wrong == 0;
}

}  // namespace
}  // namespace cairn::CAIRN_VANILLA

int main() {
  namespace vanilla = cairn::CAIRN_VANILLA;
  bool right = true;
  for (const int size : {1, 63, 65, 256}) {
    right &= vanilla::try_rung("shared_tile", vanilla::gemm_shared_tile, size, size, size);
    right &= vanilla::try_rung("column_tile", vanilla::gemm_column_tile, size, size, size);
    right &= vanilla::try_rung("register_tile", vanilla::gemm_register_tile, size, size, size);
  }
  right &= vanilla::try_rung("column_tile", vanilla::gemm_column_tile, 70, 9, 130);
  return right ? 0 : 1;
}
