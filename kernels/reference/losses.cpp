// Cross-entropy and the squared error, forward and backward. Not here: softmax alone (softmax.cpp), accuracy
// (reductions.cpp).
#include "kernels/reference/normaliser.h"

namespace cairn::reference {

void cross_entropy_forward(Stream&, const CrossEntropyForwardArgs& args) {
  with_type(args.dtype, "cross_entropy_forward", [&]<class T>(Type<T>) {
    T* row_loss = static_cast<T*>(args.row_loss);
    double total = 0;
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* logits = static_cast<const T*>(args.logits) + r * args.columns;
      T* probabilities = static_cast<T*>(args.probabilities) + r * args.columns;
      const auto [maximum, sum] = normaliser_of(logits, args.columns);
      for (int64_t c = 0; c < args.columns; ++c) probabilities[c] = static_cast<T>(std::exp(logits[c] - maximum) / sum);
      double loss = std::log(sum) - (logits[args.labels[r]] - maximum);
      if (args.smoothing > 0) {
        double mean = 0;
        for (int64_t c = 0; c < args.columns; ++c) mean += (logits[c] - maximum) / static_cast<double>(args.columns);
        loss = (1 - args.smoothing) * loss + args.smoothing * (std::log(sum) - mean);
      }
      row_loss[r] = static_cast<T>(loss);
      total += loss;
    }
    *static_cast<T*>(args.loss) = static_cast<T>(args.rows ? total / static_cast<double>(args.rows) : 0);
  });
}

void cross_entropy_backward(Stream&, const CrossEntropyBackwardArgs& args) {
  with_type(args.dtype, "cross_entropy_backward", [&]<class T>(Type<T>) {
    for (int64_t r = 0; r < args.rows; ++r) {
      const double factor = *static_cast<const T*>(args.dloss) / static_cast<double>(args.rows);
      const T* probabilities = static_cast<const T*>(args.probabilities) + r * args.columns;
      T* dlogits = static_cast<T*>(args.dlogits) + r * args.columns;
      const double share = args.smoothing / static_cast<double>(args.columns);
      for (int64_t c = 0; c < args.columns; ++c) {
        const double target = share + (c == args.labels[r] ? 1 - args.smoothing : 0.0);
        store(dlogits[c], (probabilities[c] - target) * factor, args.accumulate);
      }
    }
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

}  // namespace cairn::reference
