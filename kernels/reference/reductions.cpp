// Sums, argmax and the metrics of a classifier. Not here: column sums (bias.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

// How many columns come before the label in a row, as kernels/loss_args.h has it.
template <class T>
int64_t columns_before(const T* row, int64_t columns, int64_t label) {
  const T own = row[label];
  int64_t before = 0;
  for (int64_t c = 0; c < columns; ++c) {
    const bool greater = std::isnan(row[c]) ? !std::isnan(own) : row[c] > own;
    const bool equal = std::isnan(row[c]) ? std::isnan(own) : row[c] == own;
    before += greater || (equal && c < label);
  }
  return before;
}

}  // namespace

void sum(Stream&, const SumArgs& args) {
  with_type(args.dtype, "sum", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    double total = 0;
    for (int64_t i = 0; i < args.count; ++i) total += x[i];
    store(*static_cast<T*>(args.out), args.factor * total, args.accumulate);
  });
}

void argmax(Stream&, const ArgmaxArgs& args) {
  with_type(args.dtype, "argmax", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    for (int64_t r = 0; r < args.rows; ++r)
      args.out[r] = static_cast<int32_t>(first_maximum(x + r * args.columns, args.columns));
  });
}

void classification_metrics(Stream&, const ClassificationMetricsArgs& args) {
  with_type(args.dtype, "classification_metrics", [&]<class T>(Type<T>) {
    const T* logits = static_cast<const T*>(args.logits);
    double loss_sum = 0;
    int64_t correct = 0, in_top = 0;
    for (int64_t r = 0; r < args.rows; ++r) {
      loss_sum += static_cast<const T*>(args.row_loss)[r];
      const int64_t before = columns_before(logits + r * args.columns, args.columns, args.labels[r]);
      correct += before == 0;
      in_top += before < args.top;
    }
    *args.loss_sum += loss_sum;
    *args.correct += correct;
    *args.in_top += in_top;
  });
}

}  // namespace cairn::reference
