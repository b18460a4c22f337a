#include "benchmarks/library.h"

#include <Eigen/Core>

#include "kernels/runtime/cpu/stream.h"

namespace cairn::benchmarks {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Strided = Eigen::Map<const RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;
using Result = Eigen::Map<RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;

// c = op(a) op(b) for rows [row, row + rows) and columns [column, column + columns) of c.
void multiply(const GemmArgs& args, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const auto* a = static_cast<const float*>(args.a);
  const auto* b = static_cast<const float*>(args.b);
  const Eigen::OuterStride<> a_stride(args.lda), b_stride(args.ldb);
  const Strided a_plain(a + row * args.lda, rows, args.k, a_stride), a_stored(a + row, args.k, rows, a_stride);
  const Strided b_plain(b + column, args.k, columns, b_stride),
      b_stored(b + column * args.ldb, columns, args.k, b_stride);
  Result c(static_cast<float*>(args.c) + row * args.ldc + column, rows, columns, Eigen::OuterStride<>(args.ldc));
  if (args.transpose_a && args.transpose_b)
    c.noalias() = a_stored.transpose() * b_stored.transpose();
  else if (args.transpose_a)
    c.noalias() = a_stored.transpose() * b_plain;
  else if (args.transpose_b)
    c.noalias() = a_plain * b_stored.transpose();
  else
    c.noalias() = a_plain * b_plain;
  if (args.bias)
    c.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(static_cast<const float*>(args.bias) + column, columns);
  if (args.relu) c = c.cwiseMax(0.0f);
}

void gemm(cpu::Stream& stream, const GemmArgs& args) {
  constexpr int64_t kSmall = 1 << 18;  // multiply-adds below which a second thread is no gain
  if (args.m * args.n * args.k < kSmall) return multiply(args, 0, args.m, 0, args.n);
  if (args.n >= args.m)
    return stream.pool.parallel_for(args.n, 16,
                                    [&](int64_t begin, int64_t end) { multiply(args, 0, args.m, begin, end - begin); });
  stream.pool.parallel_for(args.m, 8,
                           [&](int64_t begin, int64_t end) { multiply(args, begin, end - begin, 0, args.n); });
}

}  // namespace

const Backend& simd_library() {
  static const Backend backend = [] {
    Backend services = cpu::with_services({});
    services.name = kLibraryName;
    services.summary = "the library's matrix product, called directly";
    services.gemm = cpu::entry<gemm>;
    return services;
  }();
  return backend;
}

}  // namespace cairn::benchmarks
