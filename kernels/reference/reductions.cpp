// Sums, argmax and the metrics of a classifier. Not here: column sums (bias.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {

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
    int64_t correct = 0;
    for (int64_t r = 0; r < args.rows; ++r) {
      loss_sum += static_cast<const T*>(args.row_loss)[r];
      correct += first_maximum(logits + r * args.columns, args.columns) == args.labels[r];
    }
    *args.loss_sum += loss_sum;
    *args.correct += correct;
  });
}

}  // namespace cairn::reference
