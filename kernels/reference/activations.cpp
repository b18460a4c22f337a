// ReLU and tanh, forward and backward. Not here: their fusion into other primitives (bias.cpp, gemm.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void relu_forward(Stream&, const ReluForwardArgs& args) {
  with_type(args.dtype, "relu_forward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    T* y = static_cast<T*>(args.y);
    for (int64_t i = 0; i < args.count; ++i) store(y[i], relu(x[i]), false);
  });
}

void relu_backward(Stream&, const ReluBackwardArgs& args) {
  with_type(args.dtype, "relu_backward", [&]<class T>(Type<T>) {
    const T* dy = static_cast<const T*>(args.dy);
    const T* y = static_cast<const T*>(args.y);
    T* dx = static_cast<T*>(args.dx);
    for (int64_t i = 0; i < args.count; ++i) store(dx[i], y[i] > 0 ? dy[i] : 0, args.accumulate);
  });
}

void tanh_forward(Stream&, const TanhForwardArgs& args) {
  with_type(args.dtype, "tanh_forward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    T* y = static_cast<T*>(args.y);
    for (int64_t i = 0; i < args.count; ++i) store(y[i], std::tanh(static_cast<double>(x[i])), false);
  });
}

void tanh_backward(Stream&, const TanhBackwardArgs& args) {
  with_type(args.dtype, "tanh_backward", [&]<class T>(Type<T>) {
    const T* dy = static_cast<const T*>(args.dy);
    const T* y = static_cast<const T*>(args.y);
    T* dx = static_cast<T*>(args.dx);
    for (int64_t i = 0; i < args.count; ++i) {
      const double value = y[i];
      store(dx[i], dy[i] * (1 - value * value), args.accumulate);
    }
  });
}

}  // namespace cairn::reference
