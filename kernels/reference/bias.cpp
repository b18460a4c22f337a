// Bias and its gradient, alone or with ReLU. Not here: its fusion into gemm (gemm.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void bias_forward(Stream&, const BiasForwardArgs& args) {
  with_type(args.dtype, "bias_forward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    const T* bias = static_cast<const T*>(args.bias);
    T* y = static_cast<T*>(args.y);
    for (int64_t r = 0; r < args.rows; ++r) {
      for (int64_t c = 0; c < args.columns; ++c) {
        const double value = static_cast<double>(x[r * args.columns + c]) + bias[c];
        store(y[r * args.columns + c], args.relu ? relu(value) : value, false);
      }
    }
  });
}

void bias_backward(Stream&, const BiasBackwardArgs& args) {
  with_type(args.dtype, "bias_backward", [&]<class T>(Type<T>) {
    const T* dy = static_cast<const T*>(args.dy);
    T* dbias = static_cast<T*>(args.dbias);
    for (int64_t c = 0; c < args.columns; ++c) {
      double total = 0;
      for (int64_t r = 0; r < args.rows; ++r) total += dy[r * args.columns + c];
      store(dbias[c], total, args.accumulate);
    }
  });
}

void bias_relu_backward(Stream& stream, const BiasReluBackwardArgs& args) {
  with_type(args.dtype, "bias_relu_backward", [&]<class T>(Type<T>) {
    const T* dy = static_cast<const T*>(args.dy);
    const T* y = static_cast<const T*>(args.y);
    T* dz = static_cast<T*>(args.dz);
    for (int64_t i = 0; i < args.rows * args.columns; ++i) dz[i] = y[i] > 0 ? dy[i] : T{0};
  });
  if (args.dbias) {
    const BiasBackwardArgs bias{.dtype = args.dtype,
                                .rows = args.rows,
                                .columns = args.columns,
                                .dy = args.dz,
                                .dbias = args.dbias,
                                .accumulate = args.accumulate};
    bias_backward(stream, bias);
  }
}

}  // namespace cairn::reference
