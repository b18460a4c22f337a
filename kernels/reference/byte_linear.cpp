// Products with a matrix of bytes. Not here: gemm (gemm.cpp), the bytes as floats (rows.cpp).
#include "kernels/reference/byte_rows.h"
#include "kernels/reference/primitives.h"

namespace cairn::reference {

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
