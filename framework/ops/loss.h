// Softmax, losses, reductions and the metrics of a classifier.
#pragma once

#include "framework/tensor.h"

namespace cairn {

Tensor softmax(const Tensor& x);  // over the columns of N x C

// Mean over the rows of -log softmax(logits)[label], a scalar.   logits: N x C;  labels: N, i32, in [0, C)
// With label smoothing s a row's target is 1 - s at its label, and s / C more everywhere (PyTorch's label_smoothing).
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing = 0);

// Mean over all elements of (a - b)^2, a scalar; 0 for none.
Tensor squared_error(const Tensor& a, const Tensor& b);

Tensor sum(const Tensor& x);   // of all elements, a scalar
Tensor mean(const Tensor& x);  // of all elements, a scalar; 0 for none

// No gradients below.
Tensor argmax(const Tensor& x);  // N x C to N, i32: the first column that holds the row's maximum (or nan)
// Adds the rows' losses to loss_sum (one f64), the rows whose argmax is their label to correct (one i64), and those in
// which fewer than `top` columns come before the label to in_top (one i64): with a greater logit (or nan), or an equal
// one and a lower number.
void add_metrics(const Tensor& logits, const Tensor& labels, const Tensor& loss_sum, const Tensor& correct,
                 const Tensor& in_top, int64_t top);

}  // namespace cairn
