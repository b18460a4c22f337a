#include "framework/ops/loss.h"

#include <algorithm>

#include "framework/autograd.h"
#include "framework/ops/check.h"

namespace cairn {
namespace {

// The pieces of a cross-entropy forward pass.
struct CrossEntropy {
  Tensor probabilities, row_loss, loss;
};

CrossEntropy cross_entropy_forward(const char* op, const Tensor& logits, const Tensor& labels, double smoothing) {
  check::values(op, "logits", logits);
  check::rank(op, "logits", logits, 2, "N x classes");
  check::labels(op, logits, labels);
  if (logits.shape()[1] < 1)
    check::fail(op, "logits must have at least one class (N x classes)", check::describe(logits));
  const int64_t rows = logits.shape()[0], columns = logits.shape()[1];
  CrossEntropy result{Tensor::empty(logits.device(), logits.shape(), logits.dtype(), op),
                      Tensor::empty(logits.device(), {rows}, logits.dtype(), op),
                      Tensor::empty(logits.device(), {}, logits.dtype(), op)};
  logits.device()->call(&Backend::cross_entropy_forward,
                        CrossEntropyForwardArgs{.dtype = logits.dtype(),
                                                .rows = rows,
                                                .columns = columns,
                                                .logits = logits.data(),
                                                .labels = labels.data<int32_t>(),
                                                .probabilities = result.probabilities.data(),
                                                .row_loss = result.row_loss.data(),
                                                .loss = result.loss.data(),
                                                .smoothing = smoothing});
  return result;
}

Tensor reduce(const char* op, const Tensor& x, double factor) {
  check::values(op, "x", x);
  Tensor out = Tensor::empty(x.device(), {}, x.dtype(), op);
  x.device()->call(
      &Backend::sum,
      SumArgs{
          .dtype = x.dtype(), .count = x.count(), .x = x.data(), .out = out.data(), .factor = factor, .accumulate = 0});
  if (!needs_gradient({x})) return out;
  record(out, op, {x}, [factor](const Tensor& dout, Gradients& gradients) {
    if (const auto dx = gradients.destination(0))
      dout.device()->call(&Backend::broadcast_scalar, BroadcastScalarArgs{.dtype = dout.dtype(),
                                                                          .count = dx->gradient.count(),
                                                                          .x = dout.data(),
                                                                          .out = dx->gradient.data(),
                                                                          .factor = factor,
                                                                          .accumulate = dx->accumulate});
  });
  return out;
}

}  // namespace

Tensor softmax(const Tensor& x) {
  check::values("softmax", "x", x);
  check::rank("softmax", "x", x, 2, "N x C");
  const int64_t rows = x.shape()[0], columns = x.shape()[1];
  Tensor y = Tensor::empty(x.device(), x.shape(), x.dtype(), "softmax");
  x.device()->call(
      &Backend::softmax_forward,
      SoftmaxForwardArgs{.dtype = x.dtype(), .rows = rows, .columns = columns, .x = x.data(), .y = y.data()});
  if (!needs_gradient({x})) return y;
  record(y, "softmax", {x}, [y = y.detach(), rows, columns](const Tensor& dy, Gradients& gradients) {
    if (const auto dx = gradients.destination(0))
      dy.device()->call(&Backend::softmax_backward, SoftmaxBackwardArgs{.dtype = dy.dtype(),
                                                                        .rows = rows,
                                                                        .columns = columns,
                                                                        .y = y.data(),
                                                                        .dy = dy.data(),
                                                                        .dx = dx->gradient.data(),
                                                                        .accumulate = dx->accumulate});
  });
  return y;
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing) {
  if (!(smoothing >= 0 && smoothing < 1))
    check::fail("cross_entropy", "label smoothing must be at least 0 and less than 1", std::to_string(smoothing));
  CrossEntropy result = cross_entropy_forward("cross_entropy", logits, labels, smoothing);
  if (!needs_gradient({logits})) return result.loss;
  record(result.loss, "cross_entropy", {logits},
         [probabilities = result.probabilities, labels = labels.detach(), smoothing](const Tensor& dloss,
                                                                                     Gradients& gradients) {
           if (const auto dlogits = gradients.destination(0))
             dloss.device()->call(&Backend::cross_entropy_backward,
                                  CrossEntropyBackwardArgs{.dtype = dloss.dtype(),
                                                           .rows = probabilities.shape()[0],
                                                           .columns = probabilities.shape()[1],
                                                           .probabilities = probabilities.data(),
                                                           .labels = labels.data<int32_t>(),
                                                           .dloss = dloss.data(),
                                                           .dlogits = dlogits->gradient.data(),
                                                           .accumulate = dlogits->accumulate,
                                                           .smoothing = smoothing});
         });
  return result.loss;
}

Tensor squared_error(const Tensor& a, const Tensor& b) {
  check::values("squared_error", "a", a);
  check::values("squared_error", "b", b);
  check::same_shape("squared_error", "a", a, "b", b);
  Tensor loss = Tensor::empty(a.device(), {}, a.dtype(), "squared_error");
  a.device()->call(&Backend::squared_error_forward,
                   SquaredErrorForwardArgs{
                       .dtype = a.dtype(), .count = a.count(), .a = a.data(), .b = b.data(), .loss = loss.data()});
  if (!needs_gradient({a, b})) return loss;
  record(loss, "squared_error", {a, b}, [a = a.detach(), b = b.detach()](const Tensor& dloss, Gradients& gradients) {
    const double factor = 2.0 / static_cast<double>(std::max<int64_t>(a.count(), 1));
    for (const size_t operand : {0, 1})
      if (const auto to = gradients.destination(operand))
        dloss.device()->call(&Backend::squared_error_backward,
                             SquaredErrorBackwardArgs{.dtype = a.dtype(),
                                                      .count = a.count(),
                                                      .a = a.data(),
                                                      .b = b.data(),
                                                      .dloss = dloss.data(),
                                                      .da = to->gradient.data(),
                                                      .factor = operand == 0 ? factor : -factor,
                                                      .accumulate = to->accumulate});
  });
  return loss;
}

Tensor sum(const Tensor& x) {
  return reduce("sum", x, 1.0);
}

Tensor mean(const Tensor& x) {
  check::defined("mean", "x", x);
  const double count = static_cast<double>(x.count());
  return reduce("mean", x, count > 0 ? 1.0 / count : 0.0);
}

Tensor argmax(const Tensor& x) {
  check::values("argmax", "x", x);
  check::rank("argmax", "x", x, 2, "N x C");
  if (x.shape()[1] < 1) check::fail("argmax", "a row must have at least one column", check::describe(x));
  Tensor out = Tensor::empty(x.device(), {x.shape()[0]}, DType::i32, "argmax");
  x.device()->call(&Backend::argmax, ArgmaxArgs{.dtype = x.dtype(),
                                                .rows = x.shape()[0],
                                                .columns = x.shape()[1],
                                                .x = x.data(),
                                                .out = out.data<int32_t>()});
  return out;
}

void add_metrics(const Tensor& logits, const Tensor& labels, const Tensor& loss_sum, const Tensor& correct,
                 const Tensor& in_top, int64_t top) {
  const CrossEntropy result = cross_entropy_forward("add_metrics", logits, labels, 0);
  check::defined("add_metrics", "loss_sum", loss_sum);
  check::defined("add_metrics", "correct", correct);
  check::defined("add_metrics", "in_top", in_top);
  const auto one = [&](const Tensor& into, DType dtype) {
    return into.dtype() == dtype && into.count() == 1 && into.device() == logits.device();
  };
  if (!one(loss_sum, DType::f64) || !one(correct, DType::i64) || !one(in_top, DType::i64))
    check::fail("add_metrics", "loss_sum must be one f64, correct and in_top one i64 each, on the device of logits",
                check::describe(loss_sum) + ", " + check::describe(correct) + " and " + check::describe(in_top));
  logits.device()->call(&Backend::classification_metrics, ClassificationMetricsArgs{.dtype = logits.dtype(),
                                                                                    .rows = logits.shape()[0],
                                                                                    .columns = logits.shape()[1],
                                                                                    .logits = logits.data(),
                                                                                    .labels = labels.data<int32_t>(),
                                                                                    .row_loss = result.row_loss.data(),
                                                                                    .loss_sum = loss_sum.data<double>(),
                                                                                    .correct = correct.data<int64_t>(),
                                                                                    .in_top = in_top.data<int64_t>(),
                                                                                    .top = top});
}

}  // namespace cairn
