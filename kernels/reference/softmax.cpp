// Softmax over rows, forward and backward. Not here: the losses (losses.cpp), argmax (reductions.cpp).
#include "kernels/reference/normaliser.h"

namespace cairn::reference {
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

}  // namespace cairn::reference
