// ReLU, and the gradient of tanh. Not here: their fusion into other primitives (bias.cpp, gemm.cpp).
#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

void relu_forward(Stream& stream, const ReluForwardArgs& args) {
  require_f32(args.dtype, "relu_forward");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    const auto x = part(args.x, i, count);
    part(args.y, i, count) = (x < 0.0f).select(0.0f, x);  // nan stays
  });
}

void relu_backward(Stream& stream, const ReluBackwardArgs& args) {
  require_f32(args.dtype, "relu_backward");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.dx, i, count), (part(args.y, i, count) > 0.0f).select(part(args.dy, i, count), 0.0f),
          args.accumulate);
  });
}

void tanh_backward(Stream& stream, const TanhBackwardArgs& args) {
  require_f32(args.dtype, "tanh_backward");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.dx, i, count), part(args.dy, i, count) * (1.0f - part(args.y, i, count).square()), args.accumulate);
  });
}

}  // namespace cairn::eigen
