// Sums, argmax and the metrics of a classifier.
#include <ATen/ops/argmax.h>
#include <ATen/ops/sum.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

void sum(const Place& place, const SumArgs& args) {
  store(place.reals(args.dtype, args.out, {1}),
        place.reals(args.dtype, args.x, {args.count}).sum().view({1}).mul(args.factor), args.accumulate);
}

void argmax(const Place& place, const ArgmaxArgs& args) {
  const at::Tensor x = place.reals(args.dtype, args.x, {args.rows, args.columns});
  if (args.rows == 0) return;
  place.i32(args.out, {args.rows}).copy_(at::argmax(x, 1));
}

void classification_metrics(const Place& place, const ClassificationMetricsArgs& args) {
  const at::Tensor logits = place.reals(args.dtype, args.logits, {args.rows, args.columns});
  if (args.rows == 0) return;
  place.f64(args.loss_sum, {1}).add_(at::sum(place.reals(args.dtype, args.row_loss, {args.rows}), at::kDouble));
  place.i64(args.correct, {1}).add_(at::argmax(logits, 1).eq(place.i32(args.labels, {args.rows})).sum());
}

}  // namespace cairn::torch
