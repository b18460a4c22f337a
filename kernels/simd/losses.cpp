// Cross-entropy and the squared error, forward and backward. Not here: softmax alone (softmax.cpp), accuracy
// (reductions.cpp).
#include "kernels/simd/map.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/row_blocks.h"
#include "kernels/simd/sum_terms.h"

namespace cairn::simd {
namespace {

struct SquaredDifferences {
  const float* a;
  const float* b;
  Wide vector(int64_t i) const {
    const Wide difference = load_wide(a + i) - load_wide(b + i);
    return difference * difference;
  }
  double scalar(int64_t i) const {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    return difference * difference;
  }
};

}  // namespace

void cross_entropy_forward(Stream& stream, const CrossEntropyForwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_forward");
  float* row_loss = floats(args.row_loss);
  const auto smoothing = static_cast<float>(args.smoothing);
  if (args.rows && args.columns) {
    const float* logits = floats(args.logits);
    for_row_blocks(stream, args.rows, args.columns, 1, [&](float* block, int64_t row) {
      transpose_in(logits, args.columns, args.columns, row, args.rows, block);
      const RowSums sums =
          smoothing > 0.0f ? softmax_block<true>(block, args.columns) : softmax_block(block, args.columns);
      const Vector log_sum = log_positive(sums.sum);
      const int64_t lanes = std::min<int64_t>(kLanes, args.rows - row);
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const float correct = logits[(row + lane) * args.columns + args.labels[row + lane]];
        float loss = log_sum[lane] + (sums.maximum[lane] - correct);
        if (smoothing > 0.0f) {
          // Over all columns, as if each were the label.
          const float mean = log_sum[lane] - sums.differences[lane] / static_cast<float>(args.columns);
          loss = (1.0f - smoothing) * loss + smoothing * mean;
        }
        row_loss[row + lane] = loss;
      }
      transpose_out(block, args.columns, args.columns, row, args.rows, floats(args.probabilities));
    });
  }
  const double factor = args.rows ? 1.0 / static_cast<double>(args.rows) : 0.0;
  sum(stream, {args.dtype, args.rows, row_loss, args.loss, factor, 0});
}

void cross_entropy_backward(Stream& stream, const CrossEntropyBackwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_backward");
  if (args.rows == 0 || args.columns == 0) return;
  const int64_t columns = args.columns;
  const float factor = floats(args.dloss)[0] / static_cast<float>(args.rows);
  const float* probabilities = floats(args.probabilities);
  float* dlogits = floats(args.dlogits);
  const auto share = static_cast<float>(args.smoothing / static_cast<double>(columns));  // of every column
  const auto rest = static_cast<float>(1.0 - args.smoothing);                            // of the label
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, columns), [&](int64_t begin, int64_t end) {
    if (args.accumulate) {
      for (int64_t i = begin * columns; i < end * columns; ++i) dlogits[i] += (probabilities[i] - share) * factor;
      for (int64_t r = begin; r < end; ++r) dlogits[r * columns + args.labels[r]] -= rest * factor;
      return;
    }
    for (int64_t i = begin * columns; i < end * columns; ++i) dlogits[i] = (probabilities[i] - share) * factor;
    for (int64_t r = begin; r < end; ++r) {
      const int64_t i = r * columns + args.labels[r];
      dlogits[i] = (probabilities[i] - (rest + share)) * factor;
    }
  });
}

void squared_error_forward(Stream& stream, const SquaredErrorForwardArgs& args) {
  require_f32(args.dtype, "squared_error_forward");
  const double total = sum_terms(stream, args.count, SquaredDifferences{floats(args.a), floats(args.b)});
  *floats(args.loss) = args.count ? static_cast<float>(total / static_cast<double>(args.count)) : 0.0f;
}

void squared_error_backward(Stream& stream, const SquaredErrorBackwardArgs& args) {
  require_f32(args.dtype, "squared_error_backward");
  if (args.count == 0) return;
  const float factor = static_cast<float>(args.factor) * floats(args.dloss)[0];
  const auto gradient = [=](Vector a, Vector b) { return (a - b) * factor; };
  map(stream, args.count, args.da, args.accumulate, gradient, args.a, args.b);
}

}  // namespace cairn::simd
