// Sums, products, scaling and copies of arrays, tanh, and dropout. Not here: what broadcasts a row (bias.cpp) or a
// scalar (reductions.cpp).
#include "kernels/philox.h"
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void add(Stream&, const BinaryArgs& args) {
  with_type(args.dtype, "add", [&]<class T>(Type<T>) {
    const T* a = static_cast<const T*>(args.a);
    const T* b = static_cast<const T*>(args.b);
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i) store(out[i], static_cast<double>(a[i]) + b[i], args.accumulate);
  });
}

void multiply(Stream&, const BinaryArgs& args) {
  with_type(args.dtype, "multiply", [&]<class T>(Type<T>) {
    const T* a = static_cast<const T*>(args.a);
    const T* b = static_cast<const T*>(args.b);
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i) store(out[i], static_cast<double>(a[i]) * b[i], args.accumulate);
  });
}

void scale(Stream&, const ScaleArgs& args) {
  with_type(args.dtype, "scale", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i) store(out[i], args.factor * x[i], args.accumulate);
  });
}

void copy_rows(Stream&, const CopyRowsArgs& args) {
  with_type(args.dtype, "copy_rows", [&]<class T>(Type<T>) {
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = static_cast<const T*>(args.x) + r * args.x_stride;
      T* y = static_cast<T*>(args.y) + r * args.y_stride;
      for (int64_t c = 0; c < args.columns; ++c) store(y[c], x[c], args.accumulate);
    }
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

void dropout(Stream&, const DropoutArgs& args) {
  with_type(args.dtype, "dropout", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    T* y = static_cast<T*>(args.y);
    for (int64_t i = 0; i < args.count; ++i) {
      const auto step = static_cast<uint32_t>(*args.step);
      const double draw = philox::uniform_at(args.seed, args.layer, step, static_cast<uint64_t>(i));
      store(y[i], draw >= args.probability ? x[i] / (1 - args.probability) : 0, args.accumulate);
    }
  });
}

}  // namespace cairn::reference
