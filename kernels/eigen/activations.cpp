// ReLU, GELU, and the gradients of tanh and sigmoid. Not here: their fusion into other primitives (bias.cpp, gemm.cpp).
#include <cmath>

#include "kernels/eigen/primitives.h"

namespace cairn::eigen {
namespace {

// Eigen's core has no erf: the C library's, element by element.
float normal_probability(float x) {
  return 0.5f * std::erfc(-0.70710678f * x);
}
float gelu_slope(float x) {
  return normal_probability(x) + x * (0.39894228f * std::exp(-0.5f * x * x));
}

}  // namespace

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

void sigmoid_backward(Stream& stream, const SigmoidBackwardArgs& args) {
  require_f32(args.dtype, "sigmoid_backward");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    const auto y = part(args.y, i, count);
    store(part(args.dx, i, count), part(args.dy, i, count) * y * (1.0f - y), args.accumulate);
  });
}

void gelu_forward(Stream& stream, const GeluForwardArgs& args) {
  require_f32(args.dtype, "gelu_forward");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    const auto x = part(args.x, i, count);
    part(args.y, i, count) = x * x.unaryExpr(&normal_probability);
  });
}

void gelu_backward(Stream& stream, const GeluBackwardArgs& args) {
  require_f32(args.dtype, "gelu_backward");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.dx, i, count), part(args.dy, i, count) * part(args.x, i, count).unaryExpr(&gelu_slope),
          args.accumulate);
  });
}

}  // namespace cairn::eigen
