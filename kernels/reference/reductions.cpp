// Sums, their gradient, the squared error, argmax and the metrics of a classifier. Not here: column sums
// (bias.cpp).
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

void broadcast_scalar(Stream&, const BroadcastScalarArgs& args) {
  with_type(args.dtype, "broadcast_scalar", [&]<class T>(Type<T>) {
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i)
      store(out[i], args.factor * *static_cast<const T*>(args.x), args.accumulate);
  });
}

void squared_error_forward(Stream&, const SquaredErrorForwardArgs& args) {
  with_type(args.dtype, "squared_error_forward", [&]<class T>(Type<T>) {
    double total = 0;
    for (int64_t i = 0; i < args.count; ++i) {
      const double difference =
          static_cast<double>(static_cast<const T*>(args.a)[i]) - static_cast<const T*>(args.b)[i];
      total += difference * difference;
    }
    *static_cast<T*>(args.loss) = static_cast<T>(args.count ? total / static_cast<double>(args.count) : 0);
  });
}

void squared_error_backward(Stream&, const SquaredErrorBackwardArgs& args) {
  with_type(args.dtype, "squared_error_backward", [&]<class T>(Type<T>) {
    const double factor = args.factor * *static_cast<const T*>(args.dloss);
    for (int64_t i = 0; i < args.count; ++i) {
      const double difference =
          static_cast<double>(static_cast<const T*>(args.a)[i]) - static_cast<const T*>(args.b)[i];
      store(static_cast<T*>(args.da)[i], factor * difference, args.accumulate);
    }
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
