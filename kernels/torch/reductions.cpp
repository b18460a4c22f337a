// Sums, argmax and the metrics of a classifier.
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/isnan.h>
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
  const at::Tensor label = place.i32(args.labels, {args.rows, 1}).to(at::kLong);
  const at::Tensor own = logits.gather(1, label), column = at::arange(args.columns, label.options());
  const at::Tensor nan = at::isnan(logits), own_nan = at::isnan(own);
  const at::Tensor greater = logits.gt(own).logical_or(nan.logical_and(own_nan.logical_not()));
  const at::Tensor equal = logits.eq(own).logical_or(nan.logical_and(own_nan));
  const at::Tensor before = greater.logical_or(equal.logical_and(column.lt(label))).sum(1);
  place.i64(args.correct, {1}).add_(before.eq(0).sum());
  place.i64(args.in_top, {1}).add_(before.lt(args.top).sum());
}

}  // namespace cairn::torch
