// Cross-entropy and the squared error, forward and backward. Not here: softmax alone (softmax.cpp), accuracy
// (reductions.cpp).
#include "kernels/eigen/softmax.h"

namespace cairn::eigen {

void cross_entropy_forward(Stream& stream, const CrossEntropyForwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_forward");
  const auto smoothing = static_cast<float>(args.smoothing);
  for_each_piece(stream, Pieces(args.rows, args.columns), [&](int64_t, int64_t begin, int64_t count) {
    const ConstRows logits = rows_of(args.logits, begin, count, args.columns);
    const RowScale scale = softmax_rows(logits, rows_of(args.probabilities, begin, count, args.columns));
    for (int64_t row = 0; row < count; ++row) {
      float loss = scale.log_sum[row] + (scale.maximum[row] - logits(row, args.labels[begin + row]));
      if (smoothing > 0)  // and the mean over all columns, as if each were the label
        loss =
            (1 - smoothing) * loss + smoothing * (scale.log_sum[row] - (logits.row(row) - scale.maximum[row]).mean());
      static_cast<float*>(args.row_loss)[begin + row] = loss;
    }
  });
  sum(stream, {.dtype = args.dtype,
               .count = args.rows,
               .x = args.row_loss,
               .out = args.loss,
               .factor = args.rows ? 1.0 / static_cast<double>(args.rows) : 0.0,
               .accumulate = 0});
}

void cross_entropy_backward(Stream& stream, const CrossEntropyBackwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_backward");
  if (args.rows == 0) return;
  const float factor = *static_cast<const float*>(args.dloss) / static_cast<float>(args.rows);
  const auto share = static_cast<float>(args.smoothing / static_cast<double>(args.columns));  // of every column
  const auto rest = static_cast<float>(1 - args.smoothing);                                   // of the label
  for_each_piece(stream, Pieces(args.rows, args.columns), [&](int64_t, int64_t begin, int64_t count) {
    RowMajorArray wrong = rows_of(args.probabilities, begin, count, args.columns);
    wrong -= share;
    for (int64_t row = 0; row < count; ++row) wrong(row, args.labels[begin + row]) -= rest;
    store(rows_of(args.dlogits, begin, count, args.columns), wrong * factor, args.accumulate);
  });
}

void squared_error_forward(Stream& stream, const SquaredErrorForwardArgs& args) {
  require_f32(args.dtype, "squared_error_forward");
  const Pieces pieces(args.count, 1);
  Eigen::ArrayXd sums(pieces.count);
  for_each_piece(stream, pieces, [&](int64_t piece, int64_t i, int64_t count) {
    sums[piece] = (part(args.a, i, count).cast<double>() - part(args.b, i, count).cast<double>()).square().sum();
  });
  *static_cast<float*>(args.loss) =
      args.count ? static_cast<float>(sums.sum() / static_cast<double>(args.count)) : 0.0f;
}

void squared_error_backward(Stream& stream, const SquaredErrorBackwardArgs& args) {
  require_f32(args.dtype, "squared_error_backward");
  if (args.count == 0) return;
  const float factor = static_cast<float>(args.factor) * *static_cast<const float*>(args.dloss);
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.da, i, count), (part(args.a, i, count) - part(args.b, i, count)) * factor, args.accumulate);
  });
}

}  // namespace cairn::eigen
