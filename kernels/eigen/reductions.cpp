// Sums, argmax and the metrics of a classifier. Not here: column sums (bias.cpp).
#include <cmath>

#include "kernels/eigen/primitives.h"

namespace cairn::eigen {
namespace {

// The first column that holds the row's maximum, or its first nan.
int32_t first_maximum(const void* x, int64_t row, int64_t columns) {
  Eigen::Index column = 0;
  const auto values = part(x, row * columns, columns);
  if (values.isNaN().any())
    values.isNaN().cast<float>().maxCoeff(&column);
  else
    values.maxCoeff(&column);
  return static_cast<int32_t>(column);
}

// How many columns come before the label, as kernels/loss_args.h has it. A comparison that nan makes false counts.
int64_t columns_before(const void* x, int64_t row, int64_t columns, int64_t label) {
  const auto lower = part(x, row * columns, label), higher = part(x, row * columns + label + 1, columns - label - 1);
  const float own = static_cast<const float*>(x)[row * columns + label];
  if (std::isnan(own)) return lower.isNaN().count();
  return (!(lower < own)).count() + (!(higher <= own)).count();
}

}  // namespace

void sum(Stream& stream, const SumArgs& args) {
  require_f32(args.dtype, "sum");
  const Pieces pieces(args.count, 1);
  Eigen::ArrayXd sums(pieces.count);
  for_each_piece(stream, pieces, [&](int64_t piece, int64_t i, int64_t count) {
    sums[piece] = part(args.x, i, count).cast<double>().sum();
  });
  store(*static_cast<float*>(args.out), static_cast<float>(args.factor * sums.sum()), args.accumulate);
}

void argmax(Stream& stream, const ArgmaxArgs& args) {
  require_f32(args.dtype, "argmax");
  if (args.columns == 0) return;
  for_each_piece(stream, Pieces(args.rows, args.columns), [&](int64_t, int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row) args.out[row] = first_maximum(args.x, row, args.columns);
  });
}

void classification_metrics(Stream& stream, const ClassificationMetricsArgs& args) {
  require_f32(args.dtype, "classification_metrics");
  if (args.columns == 0) return;
  const Pieces pieces(args.rows, args.columns);
  Eigen::ArrayXd losses(pieces.count);
  Eigen::Array<int64_t, Eigen::Dynamic, 2> hits(pieces.count, 2);  // in the first place, and among the first `top`
  for_each_piece(stream, pieces, [&](int64_t piece, int64_t begin, int64_t count) {
    losses[piece] = part(args.row_loss, begin, count).cast<double>().sum();
    hits.row(piece).setZero();
    for (int64_t row = begin; row < begin + count; ++row) {
      const int64_t before = columns_before(args.logits, row, args.columns, args.labels[row]);
      hits(piece, 0) += before == 0;
      hits(piece, 1) += before < args.top;
    }
  });
  *args.loss_sum += losses.sum();
  *args.correct += hits.col(0).sum();
  *args.in_top += hits.col(1).sum();
}

}  // namespace cairn::eigen
