// Sums, argmax and the metrics of a classifier. Not here: column sums (bias.cpp).
#include "kernels/simd/primitives.h"
#include "kernels/simd/sum_terms.h"
#include "kernels/simd/team.h"

namespace cairn::simd {
namespace {

struct Elements {
  const float* x;
  Wide vector(int64_t i) const { return load_wide(x + i); }
  double scalar(int64_t i) const { return static_cast<double>(x[i]); }
};

// The first column that holds the maximum, or the first nan.
int32_t argmax_row(const float* x, int64_t columns) {
  int64_t best = 0;
  for (int64_t c = 0; c < columns; ++c) {
    if (x[c] != x[c]) return static_cast<int32_t>(c);
    if (x[c] > x[best]) best = c;
  }
  return static_cast<int32_t>(best);
}

// How many columns come before the label, as kernels/loss_args.h has it. A comparison that nan makes false counts.
int64_t columns_before(const float* x, int64_t columns, int64_t label) {
  const float own = x[label];
  int64_t before = 0;
  if (own != own) {
    for (int64_t c = 0; c < label; ++c) before += x[c] != x[c];
    return before;
  }
  for (int64_t c = 0; c < label; ++c) before += !(x[c] < own);
  for (int64_t c = label + 1; c < columns; ++c) before += !(x[c] <= own);
  return before;
}

}  // namespace

void sum(Stream& stream, const SumArgs& args) {
  require_f32(args.dtype, "sum");
  const double total = sum_terms(stream, args.count, Elements{floats(args.x)});
  float* out = floats(args.out);
  const auto value = static_cast<float>(args.factor * total);
  *out = args.accumulate ? *out + value : value;
}

void argmax(Stream& stream, const ArgmaxArgs& args) {
  require_f32(args.dtype, "argmax");
  if (args.rows == 0 || args.columns == 0) return;
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, args.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      args.out[row] = argmax_row(floats(args.x) + row * args.columns, args.columns);
  });
}

void classification_metrics(Stream& stream, const ClassificationMetricsArgs& args) {
  require_f32(args.dtype, "classification_metrics");
  if (args.rows == 0 || args.columns == 0) return;
  struct Part {
    double loss;
    int64_t correct, in_top;
  };
  const Chunks chunks(args.rows, args.columns, 1);
  auto* parts = reinterpret_cast<Part*>(scratch(Scratch::partial, chunks.count * 6));
  static_assert(sizeof(Part) == 6 * sizeof(float));
  stream.pool.parallel_for(chunks.count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      Part part{0.0, 0, 0};
      const int64_t last = std::min(args.rows, (chunk + 1) * chunks.rows);
      for (int64_t row = chunk * chunks.rows; row < last; ++row) {
        part.loss += static_cast<double>(floats(args.row_loss)[row]);
        const int64_t before = columns_before(floats(args.logits) + row * args.columns, args.columns, args.labels[row]);
        part.correct += before == 0;
        part.in_top += before < args.top;
      }
      parts[chunk] = part;
    }
  });
  for (int64_t chunk = 0; chunk < chunks.count; ++chunk) {
    *args.loss_sum += parts[chunk].loss;
    *args.correct += parts[chunk].correct;
    *args.in_top += parts[chunk].in_top;
  }
}

}  // namespace cairn::simd
