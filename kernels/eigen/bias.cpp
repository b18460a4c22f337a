// Adding a bias to rows, and its gradient: column sums, alone or behind the ReLU's mask.
#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

void bias_forward(Stream& stream, const BiasForwardArgs& args) {
  require_f32(args.dtype, "bias_forward");
  for_each_piece(stream, Pieces(args.rows, args.columns), [&](int64_t, int64_t begin, int64_t count) {
    Rows y = rows_of(args.y, begin, count, args.columns);
    y = rows_of(args.x, begin, count, args.columns).rowwise() + part(args.bias, 0, args.columns).transpose();
    if (args.relu) y = (y < 0.0f).select(0.0f, y);
  });
}

void bias_backward(Stream& stream, const BiasBackwardArgs& args) {
  require_f32(args.dtype, "bias_backward");
  const Pieces pieces(args.rows, args.columns);
  RowMajorArray sums = RowMajorArray::Zero(std::max<int64_t>(1, pieces.count), args.columns);  // no rows: a sum of 0
  for_each_piece(stream, pieces, [&](int64_t piece, int64_t begin, int64_t count) {
    sums.row(piece) = rows_of(args.dy, begin, count, args.columns).colwise().sum();
  });
  store(part(args.dbias, 0, args.columns), sums.colwise().sum().transpose(), args.accumulate);
}

void bias_relu_backward(Stream& stream, const BiasReluBackwardArgs& args) {
  require_f32(args.dtype, "bias_relu_backward");
  relu_backward(stream, {.dtype = args.dtype,
                         .count = args.rows * args.columns,
                         .dy = args.dy,
                         .y = args.y,
                         .dx = args.dz,
                         .accumulate = 0});
  if (args.dbias)
    bias_backward(stream, {.dtype = args.dtype,
                           .rows = args.rows,
                           .columns = args.columns,
                           .dy = args.dz,
                           .dbias = args.dbias,
                           .accumulate = args.accumulate});
}

}  // namespace cairn::eigen
