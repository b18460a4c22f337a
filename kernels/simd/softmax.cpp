// Row softmax and cross-entropy. Rows ride in the lanes of a vector: kLanes rows are transposed into a small block, so
// that maximum, exponential, sum and logarithm need no work across lanes, whatever the number of columns.
#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

// block[c][lane] = x[row + lane][c]; lanes past the last row repeat it.
void transpose_in(const float* x, int64_t columns, int64_t row, int64_t rows, float* block) {
  for (int lane = 0; lane < kLanes; ++lane) {
    const float* from = x + std::min(row + lane, rows - 1) * columns;
    for (int64_t c = 0; c < columns; ++c) block[c * kLanes + lane] = from[c];
  }
}

void transpose_out(const float* block, int64_t columns, int64_t row, int64_t rows, float* y) {
  const int64_t lanes = std::min<int64_t>(kLanes, rows - row);
  for (int64_t lane = 0; lane < lanes; ++lane)
    for (int64_t c = 0; c < columns; ++c) y[(row + lane) * columns + c] = block[c * kLanes + lane];
}

struct RowSums {
  Vector maximum, sum;
  Vector differences;  // sum of x - maximum, where it is asked for
};

// The block becomes its own softmax, lane by lane.
template <bool kDifferences = false>
RowSums softmax_block(float* block, int64_t columns) {
  Vector maximum = load(block);
  for (int64_t c = 1; c < columns; ++c) {
    const Vector x = load(block + c * kLanes);
    maximum = x > maximum ? x : maximum;
  }
  Vector sum{}, differences{};
  for (int64_t c = 0; c < columns; ++c) {
    const Vector difference = load(block + c * kLanes) - maximum;
    if constexpr (kDifferences) differences += difference;
    const Vector e = exp_nonpositive(difference);
    store(block + c * kLanes, e);
    sum += e;
  }
  const Vector inverse = 1.0f / sum;
  for (int64_t c = 0; c < columns; ++c) store(block + c * kLanes, load(block + c * kLanes) * inverse);
  return {maximum, sum, differences};
}

// body(block, row) for every kLanes rows, in parallel.
template <class Body>
void for_row_blocks(Stream& stream, int64_t rows, int64_t columns, int64_t blocks_of_scratch, const Body& body) {
  const int64_t grain = ceil_div(2048, columns * kLanes) * kLanes;
  stream.pool.parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    float* block = scratch(Scratch::row_block, blocks_of_scratch * columns * kLanes);
    for (int64_t row = begin; row < end; row += kLanes) body(block, row);
  });
}

}  // namespace

void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args) {
  require_f32(args.dtype, "softmax_forward");
  if (args.rows == 0 || args.columns == 0) return;
  for_row_blocks(stream, args.rows, args.columns, 1, [&](float* block, int64_t row) {
    transpose_in(floats(args.x), args.columns, row, args.rows, block);
    softmax_block(block, args.columns);
    transpose_out(block, args.columns, row, args.rows, floats(args.y));
  });
}

void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args) {
  require_f32(args.dtype, "softmax_backward");
  if (args.rows == 0 || args.columns == 0) return;
  const int64_t columns = args.columns;
  for_row_blocks(stream, args.rows, columns, 2, [&](float* y, int64_t row) {
    float* dy = y + columns * kLanes;
    transpose_in(floats(args.y), columns, row, args.rows, y);
    transpose_in(floats(args.dy), columns, row, args.rows, dy);
    Vector dot{};
    for (int64_t i = 0; i < columns * kLanes; i += kLanes) dot += load(y + i) * load(dy + i);
    for (int64_t i = 0; i < columns * kLanes; i += kLanes) store(dy + i, load(y + i) * (load(dy + i) - dot));
    if (args.accumulate) {
      transpose_in(floats(args.dx), columns, row, args.rows, y);
      for (int64_t i = 0; i < columns * kLanes; i += kLanes) store(dy + i, load(dy + i) + load(y + i));
    }
    transpose_out(dy, columns, row, args.rows, floats(args.dx));
  });
}

void cross_entropy_forward(Stream& stream, const CrossEntropyForwardArgs& args) {
  require_f32(args.dtype, "cross_entropy_forward");
  float* row_loss = floats(args.row_loss);
  const auto smoothing = static_cast<float>(args.smoothing);
  if (args.rows && args.columns) {
    const float* logits = floats(args.logits);
    for_row_blocks(stream, args.rows, args.columns, 1, [&](float* block, int64_t row) {
      transpose_in(logits, args.columns, row, args.rows, block);
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
      transpose_out(block, args.columns, row, args.rows, floats(args.probabilities));
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

}  // namespace cairn::simd
