// Sums, products, scaling and copies of arrays, and a scalar spread over one. Not here: what broadcasts a row
// (bias.cpp).
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

void broadcast_scalar(Stream&, const BroadcastScalarArgs& args) {
  with_type(args.dtype, "broadcast_scalar", [&]<class T>(Type<T>) {
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i)
      store(out[i], args.factor * *static_cast<const T*>(args.x), args.accumulate);
  });
}

}  // namespace cairn::reference
