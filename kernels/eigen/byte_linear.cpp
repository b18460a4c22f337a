// Linear layers whose input is the resident byte data set: bytes are gathered and converted on their way into the
// product, and no float copy of the data exists. With x = bytes * scale + shift,
//   x w^T    = scale * (bytes w^T) + shift * (row sums of w)
//   dy^T x   = scale * (dy^T bytes) + shift * (column sums of dy)
// so scale goes into the small operand and shift into a bias.
#include "kernels/eigen/operands.h"
#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

void byte_linear_forward(Stream& stream, const ByteLinearForwardArgs& args) {
  const int64_t rows = args.x.rows, columns = args.x.columns, n = args.n;
  if (rows == 0 || n == 0) return;
  float* scaled = scratch(Scratch::partial, n * columns + n);
  float* bias = scaled + n * columns;
  for (int64_t j = 0; j < n; ++j) {
    const float* weight = args.weight + j * columns;
    double total = 0;
    for (int64_t c = 0; c < columns; ++c) {
      scaled[j * columns + c] = weight[c] * args.x.scale;
      total += static_cast<double>(weight[c]);
    }
    bias[j] = static_cast<float>(total * args.x.shift) + (args.bias ? args.bias[j] : 0.0f);
  }
  const Output output{args.y, n, bias, args.relu != 0, false};
  Product(rows, n, columns, ByteMatrix(args.x), FloatMatrix{scaled, 1, columns, true}, output).run(stream.pool);
}

void byte_linear_backward_weight(Stream& stream, const ByteLinearBackwardWeightArgs& args) {
  const int64_t rows = args.x.rows, columns = args.x.columns, n = args.n;
  if (n == 0 || columns == 0) return;
  float* scaled = scratch(Scratch::partial, rows * n + n + columns);
  float* sums = scaled + rows * n;
  float* one = sums + n;
  for (int64_t j = 0; j < n; ++j) {
    double total = 0;
    for (int64_t r = 0; r < rows; ++r) {
      scaled[r * n + j] = args.dy[r * n + j] * args.x.scale;
      total += static_cast<double>(args.dy[r * n + j]);
    }
    sums[j] = static_cast<float>(total * args.x.shift);
  }
  std::fill(one, one + columns, 1.0f);
  const Output output{args.dweight, columns, nullptr, false, args.accumulate != 0};
  const FloatMatrix dy{scaled, 1, n, false};
  Product(n, columns, rows, dy, ByteMatrix(args.x), output).run(stream.pool);
  if (args.x.shift != 0.0f)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t c = 0; c < columns; ++c) args.dweight[j * columns + c] += sums[j];
}

}  // namespace cairn::eigen
