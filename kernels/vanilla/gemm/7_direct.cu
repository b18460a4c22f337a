// gemm rung 7, direct: no shared memory and no barrier. Where c is narrow or k is short, a tile in shared memory is
// used by too few threads, or too few times, to be worth its copy and its barriers: each thread reads its operands
// straight from the caches and keeps everything in registers.
//
// Thread (x, y) computes 8 rows x 8 columns of c:
//
//   b given as it is:      b given transposed (its lines are columns of c):
//     k    bbbbbbbb          k .. k + 3   b b b b   8 lines, a float4 of each, turned in registers: on the GPU that is
//   a      ########                       b b b b   free, on the CPU it takes a shuffle for every four multiplications
//   a      ########        a a a a        #######...
//   ...    ...
//
// For 4 steps of k: 8 float4 of b, 32 values of a, 256 multiplications. Neighbouring threads take neighbouring rows: a
// warp's reads of b are broadcasts, those of a lie in 4 or 8 lines and are found in the L1 cache at the next steps.
// Limited by the caches: b is read m / 8 times, a n / 8 times. Rows and lines beyond the end of a matrix are replaced
// by its last one, and their results dropped, so that the loop needs no checks. Where no more than two columns are left
// and both operands run along k, their results are sums of products along k instead: nothing is dropped, no b is
// turned.
#include "kernels/vanilla/gemm/split_k.h"
#include "kernels/vanilla/gemm/store.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kRows = 8, kColumns = 8, kSteps = 4;
constexpr int kThreads = 32;
constexpr int kFewColumns = 2;

// A block of kThreadsY x (32 / kThreadsY) threads.
template <int threads_y>
struct BlockShape {
  static constexpr int kThreadsY = threads_y, kM = kThreadsY * kRows, kN = kThreads / kThreadsY * kColumns, kK = kSteps;
  static constexpr int kMaxDepth = 512;  // so short a slice of narrow operands stays in the caches
};

// sum[i][j] = a_rows[i] * b_lines[j] over [k_begin, k_end), for the first kFewColumns columns j. The lines are 16-byte
// aligned.
__device__ __forceinline__ void dot_products(simt::Fragment<kColumns> (&sum)[kRows], const float* const* a_rows,
                                             const float* const* b_lines, int k_begin, int k_end) {
  constexpr int kRowsAtOnce = 4;  // x 2 columns: 8 registers of sums
  CAIRN_UNROLL
  for (int i0 = 0; i0 < kRows; i0 += kRowsAtOnce) {
    simt::Fragment<8> partial[kRowsAtOnce][kFewColumns];
    CAIRN_UNROLL
    for (int i = 0; i < kRowsAtOnce; ++i) {
      CAIRN_UNROLL
      for (int j = 0; j < kFewColumns; ++j) partial[i][j].zero();
    }
    int k = k_begin;
    for (; k + 8 <= k_end; k += 8) {
      simt::Fragment<8> b[kFewColumns];
      CAIRN_UNROLL
      for (int j = 0; j < kFewColumns; ++j) b[j].load(b_lines[j] + k);
      CAIRN_UNROLL
      for (int i = 0; i < kRowsAtOnce; ++i) {
        simt::Fragment<8> a;
        a.load(a_rows[i0 + i] + k);
        CAIRN_UNROLL
        for (int j = 0; j < kFewColumns; ++j) partial[i][j].fma(a, b[j]);
      }
    }
    CAIRN_UNROLL
    for (int i = 0; i < kRowsAtOnce; ++i) {
      CAIRN_UNROLL
      for (int j = 0; j < kFewColumns; ++j) {
        float total = partial[i][j].sum();
        for (int rest = k; rest < k_end; ++rest) total = fmaf(a_rows[i0 + i][rest], b_lines[j][rest], total);
        sum[i0 + i].put(j, total);
      }
    }
  }
}

// Long because the two ways through a tile stand beside each other, with the sums that they share in registers.
template <class Shape, bool a_along_k, bool b_along_k>
__global__ void __launch_bounds__(kThreads) direct_kernel(FloatProduct p, Blocking blocking) {
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x);
  const int row0 = at.m0 + thread % Shape::kThreadsY * kRows, column0 = at.n0 + thread / Shape::kThreadsY * kColumns;
  if (row0 >= p.m || column0 >= p.n) return;

  const float* a_rows[kRows];  // a[row][0]
  const int64_t a_row = a_along_k ? p.a.stride : 1;
  a_rows[0] = p.a.data + row0 * a_row;
  CAIRN_UNROLL
  for (int i = 1; i < kRows; ++i) a_rows[i] = a_rows[i - 1] + (row0 + i < p.m ? a_row : 0);
  const int64_t a_step = a_along_k ? 1 : p.a.stride;
  simt::Fragment<kColumns> sum[kRows];
  CAIRN_UNROLL
  for (int i = 0; i < kRows; ++i) sum[i].zero();

  if constexpr (b_along_k) {
    const float* b_lines[kColumns];
    b_lines[0] = p.b.data + column0 * p.b.stride;
    CAIRN_UNROLL
    for (int j = 1; j < kColumns; ++j) b_lines[j] = b_lines[j - 1] + (column0 + j < p.n ? p.b.stride : 0);
    int k = at.k_begin;
    if (a_along_k && column0 + kFewColumns >= p.n && p.a.vectors && p.b.vectors) {
      dot_products(sum, a_rows, b_lines, at.k_begin, at.k_end);
      k = at.k_end;
    } else if (p.b.vectors) {
      for (; k + kSteps <= at.k_end; k += kSteps) {
        simt::Fragment<kColumns> b[kSteps];
        simt::load_turned(b, b_lines, k);
        CAIRN_UNROLL
        for (int step = 0; step < kSteps; ++step) {
          CAIRN_UNROLL
          for (int i = 0; i < kRows; ++i) sum[i].fma(a_rows[i][(k + step) * a_step], b[step]);
        }
      }
    }
    for (; k < at.k_end; ++k) {
      simt::Fragment<kColumns> b;
      CAIRN_UNROLL
      for (int j = 0; j < kColumns; ++j) b.put(j, b_lines[j][k]);
      CAIRN_UNROLL
      for (int i = 0; i < kRows; ++i) sum[i].fma(a_rows[i][k * a_step], b);
    }
  } else {
    const bool whole = p.b.vectors && column0 + kColumns <= p.n;
    int64_t line = at.k_begin * p.b.stride + column0;  // no pointer yet: there may be no matrix
    for (int k = at.k_begin; k < at.k_end; ++k, line += p.b.stride) {
      const float* b_line = p.b.data + line;
      simt::Fragment<kColumns> b;
      if (whole)
        b.load(b_line);
      else
        b.load_first(b_line, p.n - column0);
      CAIRN_UNROLL
      for (int i = 0; i < kRows; ++i) sum[i].fma(a_rows[i][k * a_step], b);
    }
  }

  const auto bias = load_bias<kColumns>(p.output, column0, p.n);
  CAIRN_UNROLL
  for (int i = 0; i < kRows; ++i)
    if (row0 + i < p.m) store_run(sum[i], bias, p.output, at.c, blocking.vectors, row0 + i, column0, p.n);
}

template <class Shape>
void launch_shape(Stream& stream, const FloatProduct& product) {
  const auto launch = [&](const FloatProduct& part, const Blocking& blocking, dim3 grid) {
    if (part.a_along_k && part.b_along_k)
      simt::launch<direct_kernel<Shape, true, true>>(stream, grid, kThreads, 0, part, blocking);
    else if (part.a_along_k)
      simt::launch<direct_kernel<Shape, true, false>>(stream, grid, kThreads, 0, part, blocking);
    else if (part.b_along_k)
      simt::launch<direct_kernel<Shape, false, true>>(stream, grid, kThreads, 0, part, blocking);
    else
      simt::launch<direct_kernel<Shape, false, false>>(stream, grid, kThreads, 0, part, blocking);
  };
  launch_tiles<Shape>(stream, product, launch, kThreads <= 32);
}

}  // namespace

void gemm_direct(Stream& stream, const FloatProduct& product) {
  if (product.m <= 32)
    launch_shape<BlockShape<4>>(stream, product);
  else if (product.n <= 16)
    launch_shape<BlockShape<16>>(stream, product);
  else
    launch_shape<BlockShape<8>>(stream, product);
}

}  // namespace cairn::CAIRN_VANILLA
