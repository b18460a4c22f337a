// The argument structs of softmax, of the losses, and of what sums or counts over an array. Not here: the conventions
// that hold for every primitive (backend.h), which primitives there are (primitives.h).
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace cairn {

// ---- softmax and losses
// -----------------------------------------------------------------------------------------------

// y[r,:] = softmax(x[r,:])
struct SoftmaxForwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* x;
  void* y;
};

// dx[r,c] (+)= y[r,c] * (dy[r,c] - sum over j of dy[r,j] y[r,j])
struct SoftmaxBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* y;
  const void* dy;
  void* dx;
  int32_t accumulate;
};

// With s the label smoothing (PyTorch's: the label's row of targets is 1 - s at the label, plus s / columns everywhere)
// and -log p[c] = logsumexp(logits[r,:]) - logits[r,c]:
//   row_loss[r] = (1 - s) * -log p[label[r]] + s / columns * sum over c of -log p[c]
//   loss = mean of row_loss (0 for no rows)
struct CrossEntropyForwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* logits;
  const int32_t* labels;  // 0 <= label < columns
  void* probabilities;    // rows x columns: softmax(logits), kept for the backward pass
  void* row_loss;         // rows
  void* loss;             // 1
  double smoothing;       // 0 <= s < 1
};

// dlogits[r,c] (+)= (probabilities[r,c] - (1 - s) (c == label[r]) - s / columns) * dloss[0] / rows
struct CrossEntropyBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* probabilities;
  const int32_t* labels;
  const void* dloss;  // 1, device
  void* dlogits;
  int32_t accumulate;
  double smoothing;
};

// loss = mean of (a[i] - b[i])^2 (0 for no elements)
struct SquaredErrorForwardArgs {
  DType dtype;
  int64_t count;
  const void* a;
  const void* b;
  void* loss;  // 1
};

// da[i] (+)= dloss[0] * factor * (a[i] - b[i]), factor = 2 / count for the first operand's gradient
struct SquaredErrorBackwardArgs {
  DType dtype;
  int64_t count;
  const void* a;
  const void* b;
  const void* dloss;  // 1, device
  void* da;
  double factor;
  int32_t accumulate;
};

// ---- reductions and metrics
// -------------------------------------------------------------------------------------------

// out[0] (+)= factor * sum of x     (sum: factor 1, mean: factor 1/count)
struct SumArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* out;
  double factor;
  int32_t accumulate;
};

// out[r] = the first column that holds the row's maximum; nan counts as above every number, as in PyTorch, so that the
// first nan of a row wins
struct ArgmaxArgs {
  DType dtype;
  int64_t rows, columns;
  const void* x;
  int32_t* out;
};

// A column comes before the label in a row where its logit is greater, or equal and its number lower; nan is above
// every number and equal to nan. So none does where the label is the row's argmax (as above).
//   *loss_sum += sum of row_loss
//   *correct += number of rows in which no column comes before the label
//   *in_top += number of rows in which fewer than `top` columns do
struct ClassificationMetricsArgs {
  DType dtype;
  int64_t rows, columns;
  const void* logits;
  const int32_t* labels;  // 0 <= label < columns
  const void* row_loss;
  double* loss_sum;  // device
  int64_t* correct;  // device
  int64_t* in_top;   // device
  int64_t top;
};

}  // namespace cairn
