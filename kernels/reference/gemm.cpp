// Matrix products, one dot product per output element. Not here: anything fast.
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

}  // namespace cairn::reference
