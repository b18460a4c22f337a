// ReLU, tanh, sigmoid and GELU, forward and backward. Not here: their fusion into other primitives (bias.cpp,
// gemm.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

// The normal distribution's. erfc, not 1 + erf, which far below 0 would be a difference of equals.
double normal_probability(double x) {
  return 0.5 * std::erfc(-x * std::sqrt(0.5));
}

double normal_density(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * 3.14159265358979323846);
}

}  // namespace

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

void sigmoid_forward(Stream&, const SigmoidForwardArgs& args) {
  with_type(args.dtype, "sigmoid_forward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    T* y = static_cast<T*>(args.y);
    for (int64_t i = 0; i < args.count; ++i) store(y[i], sigmoid(x[i]), false);
  });
}

void sigmoid_backward(Stream&, const SigmoidBackwardArgs& args) {
  with_type(args.dtype, "sigmoid_backward", [&]<class T>(Type<T>) {
    const T* dy = static_cast<const T*>(args.dy);
    const T* y = static_cast<const T*>(args.y);
    T* dx = static_cast<T*>(args.dx);
    for (int64_t i = 0; i < args.count; ++i) {
      const double value = y[i];
      store(dx[i], dy[i] * value * (1 - value), args.accumulate);
    }
  });
}

void gelu_forward(Stream&, const GeluForwardArgs& args) {
  with_type(args.dtype, "gelu_forward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    T* y = static_cast<T*>(args.y);
    for (int64_t i = 0; i < args.count; ++i) store(y[i], x[i] * normal_probability(x[i]), false);
  });
}

void gelu_backward(Stream&, const GeluBackwardArgs& args) {
  with_type(args.dtype, "gelu_backward", [&]<class T>(Type<T>) {
    const T* dy = static_cast<const T*>(args.dy);
    const T* x = static_cast<const T*>(args.x);
    T* dx = static_cast<T*>(args.dx);
    for (int64_t i = 0; i < args.count; ++i)
      store(dx[i], dy[i] * (normal_probability(x[i]) + x[i] * normal_density(x[i])), args.accumulate);
  });
}

}  // namespace cairn::reference
