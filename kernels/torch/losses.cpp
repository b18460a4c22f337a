// Cross-entropy and the squared error.
#include <ATen/ops/_softmax.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/sub.h>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

void cross_entropy_forward(const Place& place, const CrossEntropyForwardArgs& args) {
  at::Tensor loss = place.reals(args.dtype, args.loss, {1});
  if (args.rows == 0) {
    loss.zero_();
    return;
  }
  const at::Tensor logits = place.reals(args.dtype, args.logits, {args.rows, args.columns});
  at::Tensor probabilities = place.reals(args.dtype, args.probabilities, {args.rows, args.columns});
  at::_softmax_out(probabilities, logits, 1, false);
  at::Tensor row_loss = place.reals(args.dtype, args.row_loss, {args.rows});
  constexpr int64_t kEachRow = 0;  // at::Reduction::None
  row_loss.copy_(at::cross_entropy_loss(logits, place.i32(args.labels, {args.rows}).to(at::kLong), {}, kEachRow, -100,
                                        args.smoothing));
  loss.copy_(row_loss.mean());
}

void cross_entropy_backward(const Place& place, const CrossEntropyBackwardArgs& args) {
  if (args.rows == 0) return;
  const at::Tensor labels = place.i32(args.labels, {args.rows, 1}).to(at::kLong);
  const at::Tensor probabilities = place.reals(args.dtype, args.probabilities, {args.rows, args.columns});
  const at::Tensor factor = place.reals(args.dtype, args.dloss, {1}).div(static_cast<double>(args.rows));
  const double share = args.smoothing / static_cast<double>(args.columns);  // of every column
  const at::Tensor minus_rest = at::full({args.rows, 1}, args.smoothing - 1, probabilities.options());
  store(place.reals(args.dtype, args.dlogits, {args.rows, args.columns}),
        probabilities.sub(share).scatter_add_(1, labels, minus_rest).mul_(factor), args.accumulate);
}

void squared_error_forward(const Place& place, const SquaredErrorForwardArgs& args) {
  at::Tensor loss = place.reals(args.dtype, args.loss, {1});
  if (args.count == 0) {
    loss.zero_();
    return;
  }
  loss.copy_(
      at::mse_loss(place.reals(args.dtype, args.a, {args.count}), place.reals(args.dtype, args.b, {args.count})));
}

void squared_error_backward(const Place& place, const SquaredErrorBackwardArgs& args) {
  const at::Tensor factor = place.reals(args.dtype, args.dloss, {1}).mul(args.factor);
  const at::Tensor difference =
      at::sub(place.reals(args.dtype, args.a, {args.count}), place.reals(args.dtype, args.b, {args.count}));
  store(place.reals(args.dtype, args.da, {args.count}), difference.mul(factor), args.accumulate);
}

}  // namespace cairn::torch
