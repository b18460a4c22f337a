// Softmax over rows, forward and backward. Not here: the losses (losses.cpp).
#include "kernels/eigen/softmax.h"

namespace cairn::eigen {

void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args) {
  require_f32(args.dtype, "softmax_forward");
  if (args.columns == 0) return;
  for_each_piece(stream, Pieces(args.rows, args.columns), [&](int64_t, int64_t begin, int64_t count) {
    softmax_rows(rows_of(args.x, begin, count, args.columns), rows_of(args.y, begin, count, args.columns));
  });
}

void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args) {
  require_f32(args.dtype, "softmax_backward");
  for_each_piece(stream, Pieces(args.rows, args.columns), [&](int64_t, int64_t begin, int64_t count) {
    const ConstRows y = rows_of(args.y, begin, count, args.columns), dy = rows_of(args.dy, begin, count, args.columns);
    const Eigen::ArrayXf dot = (y * dy).rowwise().sum();
    store(rows_of(args.dx, begin, count, args.columns), y * (dy.colwise() - dot), args.accumulate);
  });
}

}  // namespace cairn::eigen
