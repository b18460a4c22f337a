// Matrix products, one dot product per output element. Not here: anything fast.
#include "kernels/reference/byte_rows.h"
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void gemm(Stream&, const GemmArgs& args) {
  with_type(args.dtype, "gemm", [&]<class T>(Type<T>) {
    const T* a = static_cast<const T*>(args.a);
    const T* b = static_cast<const T*>(args.b);
    const T* bias = static_cast<const T*>(args.bias);
    T* c = static_cast<T*>(args.c);
    // Element (row, column) of op(a) lies at row * a_row + column * a_column, and so for b.
    const int64_t a_row = args.transpose_a ? 1 : args.lda, a_column = args.transpose_a ? args.lda : 1;
    const int64_t b_row = args.transpose_b ? 1 : args.ldb, b_column = args.transpose_b ? args.ldb : 1;
    for (int64_t i = 0; i < args.m; ++i) {
      for (int64_t j = 0; j < args.n; ++j) {
        double total = 0;
        for (int64_t p = 0; p < args.k; ++p)
          total += static_cast<double>(a[i * a_row + p * a_column]) * b[p * b_row + j * b_column];
        if (bias) total += bias[j];
        if (args.relu) total = relu(total);
        store(c[i * args.ldc + j], total, args.accumulate);
      }
    }
  });
}

void byte_linear_forward(Stream&, const ByteLinearForwardArgs& args) {
  for (int64_t i = 0; i < args.x.rows; ++i) {
    for (int64_t j = 0; j < args.n; ++j) {
      double total = 0;
      for (int64_t p = 0; p < args.x.columns; ++p)
        total += byte_value(args.x, i, p) * args.weight[j * args.x.columns + p];
      if (args.bias) total += args.bias[j];
      if (args.relu) total = relu(total);
      args.y[i * args.n + j] = static_cast<float>(total);
    }
  }
}

void byte_linear_backward_weight(Stream&, const ByteLinearBackwardWeightArgs& args) {
  for (int64_t j = 0; j < args.n; ++j) {
    for (int64_t p = 0; p < args.x.columns; ++p) {
      double total = 0;
      for (int64_t i = 0; i < args.x.rows; ++i)
        total += static_cast<double>(args.dy[i * args.n + j]) * byte_value(args.x, i, p);
      store(args.dweight[j * args.x.columns + p], total, args.accumulate);
    }
  }
}

}  // namespace cairn::reference
