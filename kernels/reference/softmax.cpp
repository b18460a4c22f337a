// Softmax and cross-entropy over rows, forward and backward. Not here: argmax and accuracy (reductions.cpp).
#include <cmath>

#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

// A row's maximum and the sum over c of exp(row[c] - maximum), which cannot overflow.
struct Normaliser {
  double maximum, total;
};
template <class T>
Normaliser normaliser_of(const T* row, int64_t columns) {
  Normaliser result{row[first_maximum(row, columns)], 0};
  for (int64_t c = 0; c < columns; ++c) result.total += std::exp(row[c] - result.maximum);
  return result;
}

}  // namespace

void softmax_forward(Stream&, const SoftmaxForwardArgs& args) {
  if (args.columns == 0) return;
  with_type(args.dtype, "softmax_forward", [&]<class T>(Type<T>) {
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = static_cast<const T*>(args.x) + r * args.columns;
      T* y = static_cast<T*>(args.y) + r * args.columns;
      const auto [maximum, total] = normaliser_of(x, args.columns);
      for (int64_t c = 0; c < args.columns; ++c) y[c] = static_cast<T>(std::exp(x[c] - maximum) / total);
    }
  });
}

void softmax_backward(Stream&, const SoftmaxBackwardArgs& args) {
  with_type(args.dtype, "softmax_backward", [&]<class T>(Type<T>) {
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* y = static_cast<const T*>(args.y) + r * args.columns;
      const T* dy = static_cast<const T*>(args.dy) + r * args.columns;
      T* dx = static_cast<T*>(args.dx) + r * args.columns;
      double dot = 0;
      for (int64_t c = 0; c < args.columns; ++c) dot += static_cast<double>(dy[c]) * y[c];
      for (int64_t c = 0; c < args.columns; ++c) store(dx[c], y[c] * (dy[c] - dot), args.accumulate);
    }
  });
}

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

}  // namespace cairn::reference
