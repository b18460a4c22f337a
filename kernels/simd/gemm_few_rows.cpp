// Each element of b is needed once a row of c: with few rows its way from memory is what takes time, and packing it
// would take twice as long again. So every element of c is a dot product along both operands' rows, some columns at a
// time, the lanes' sums added last. The order of a sum hangs on k alone.
#include "kernels/simd/gemm_few_rows.h"

#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

constexpr int kMostRows = 4, kColumns = 4;  // at a time

float sum_of_lanes(Vector v) {
  float lanes[kLanes];
  store(lanes, v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}

void store_result(const GemmArgs& args, int64_t row, int64_t column, float sum) {
  float& to = floats(args.c)[row * args.ldc + column];
  if (args.accumulate) sum += to;
  if (args.bias) sum += floats(args.bias)[column];
  to = args.relu ? relu(sum) : sum;
}

// Columns first .. first + kColumns - 1 of c, as far as it has them.
template <int kRows>
[[gnu::noinline]] void multiply_columns(const GemmArgs& args, int64_t first) {
  const float *a[kRows], *b[kColumns];
  for (int r = 0; r < kRows; ++r) a[r] = floats(args.a) + r * args.lda;
  for (int j = 0; j < kColumns; ++j) b[j] = floats(args.b) + std::min(first + j, args.n - 1) * args.ldb;
  Vector sums[kRows][kColumns] = {};
  const auto add = [&](int64_t p, int64_t lanes) {
    Vector from_b[kColumns];
#pragma GCC unroll 4
    for (int j = 0; j < kColumns; ++j) from_b[j] = load_part(b[j] + p, lanes);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const Vector from_a = load_part(a[r] + p, lanes);
#pragma GCC unroll 4
      for (int j = 0; j < kColumns; ++j) sums[r][j] += from_a * from_b[j];
    }
  };
  int64_t p = 0;
  for (; p + kLanes <= args.k; p += kLanes) add(p, kLanes);
  if (p < args.k) add(p, args.k - p);
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < std::min<int64_t>(kColumns, args.n - first); ++j)
      store_result(args, r, first + j, sum_of_lanes(sums[r][j]));
}

}  // namespace

bool has_few_rows(const GemmArgs& args) {
  return args.m <= kMostRows && args.transpose_b && !args.transpose_a && args.k >= kLanes;
}

void gemm_few_rows(Stream& stream, const GemmArgs& args) {
  constexpr void (*kByRows[])(const GemmArgs&, int64_t) = {multiply_columns<1>, multiply_columns<2>,
                                                           multiply_columns<3>, multiply_columns<4>};
  const auto multiply = kByRows[args.m - 1];
  const int64_t grain = ceil_div(kGrain, args.m * args.k * kColumns);
  stream.pool.parallel_for(ceil_div(args.n, kColumns), grain, [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) multiply(args, group * kColumns);
  });
}

}  // namespace cairn::simd
