// The matrix product. Not here: with bytes (byte_linear.cpp).
#include "kernels/eigen/primitives.h"

namespace cairn::eigen {
namespace {

using Stored = Eigen::Map<const RowMajorMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using Result = Eigen::Map<RowMajorMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;

Stored stored(const void* data, int64_t rows, int64_t columns, int64_t leading) {
  return Stored(static_cast<const float*>(data), rows, columns, Eigen::OuterStride<>(leading));
}

// Rows and columns that c is cut into for the threads: at most eight slabs across its longer side, as each reads the
// whole of the other operand.
int64_t slab_of(const GemmArgs& args) {
  constexpr int64_t kSlabs = 8, kNarrowest = 64, kSmall = 1 << 18;  // multiply-adds that one thread does on its own
  const int64_t side = std::max(args.m, args.n);
  if (args.m * args.n * args.k < kSmall) return side;
  return std::max(kNarrowest, ceil_div(ceil_div(side, kSlabs), 16) * 16);
}

template <class A, class B>
void multiply(Stream& stream, const GemmArgs& args, const A& a, const B& b) {
  const int64_t slab = slab_of(args), side = std::max(args.m, args.n);
  Result c(static_cast<float*>(args.c), args.m, args.n, Eigen::OuterStride<>(args.ldc));
  const auto finish = [&](auto&& part, int64_t column) {
    if (args.bias) part.rowwise() += eigen::part(args.bias, column, part.cols()).matrix().transpose();
    if (args.relu) part = (part.array() < 0.0f).select(0.0f, part);  // nan stays
  };
  stream.pool.parallel_for(ceil_div(side, slab), 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * slab; first < std::min(end * slab, side); first += slab) {
      const int64_t count = std::min(slab, side - first);
      if (args.n >= args.m) {
        auto part = c.middleCols(first, count);
        store(part.noalias(), a * b.middleCols(first, count), args.accumulate);
        finish(part, first);
      } else {
        auto part = c.middleRows(first, count);
        store(part.noalias(), a.middleRows(first, count) * b, args.accumulate);
        finish(part, 0);
      }
    }
  });
}

}  // namespace

void gemm(Stream& stream, const GemmArgs& args) {
  require_f32(args.dtype, "gemm");
  if (args.m == 0 || args.n == 0) return;
  const auto with_b = [&](const auto& a) {
    if (args.transpose_b)
      multiply(stream, args, a, stored(args.b, args.n, args.k, args.ldb).transpose());
    else
      multiply(stream, args, a, stored(args.b, args.k, args.n, args.ldb));
  };
  if (args.transpose_a)
    with_b(stored(args.a, args.k, args.m, args.lda).transpose());
  else
    with_b(stored(args.a, args.m, args.k, args.lda));
}

}  // namespace cairn::eigen
