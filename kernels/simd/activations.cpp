// ReLU, tanh, sigmoid and GELU, forward and backward. Not here: their fusion into other primitives (bias.cpp,
// gemm.cpp).
#include "kernels/simd/map.h"
#include "kernels/simd/primitives.h"

namespace cairn::simd {
namespace {

// The normal distribution's probability, erfc(-x / sqrt 2) / 2. With z = |x| / sqrt 2 and u = 1 / (1 + z / 2), erfc z =
// u exp(p(u) - z^2), where p is smooth on (0, 1]: a polynomial of degree 9, fitted for z up to 10.5, from where erfc is
// 0. The error is 5e-8 of erfc, and the roundings make it two units in the last place of 1.
Vector normal_probability(Vector x) {
  const Vector z = 0.70710678f * from_bits(to_bits(x) & INT32_MAX);
  const Vector u = 1.0f / (1.0f + 0.5f * z);
  Vector p = splat(0.148791155f);
  p = p * u - 0.701847267f;
  p = p * u + 1.206169534f;
  p = p * u - 0.761984191f;
  p = p * u - 0.025994684f;
  p = p * u - 0.027512091f;
  p = p * u + 0.044362343f;
  p = p * u + 0.384606368f;
  p = p * u + 0.998868407f;
  p = p * u - 1.265459523f;
  const Vector below = 0.5f * u * exp_nonpositive(p - z * z);
  return x < 0.0f ? below : 1.0f - below;
}

}  // namespace

void relu_forward(Stream& stream, const ReluForwardArgs& args) {
  require_f32(args.dtype, "relu_forward");
  map(
      stream, args.count, args.y, 0, [](Vector x) { return relu(x); }, args.x);
}

void relu_backward(Stream& stream, const ReluBackwardArgs& args) {
  require_f32(args.dtype, "relu_backward");
  const auto gradient = [](Vector dy, Vector y) { return y > 0.0f ? dy : Vector{}; };
  map(stream, args.count, args.dx, args.accumulate, gradient, args.dy, args.y);
}

void tanh_forward(Stream& stream, const TanhForwardArgs& args) {
  require_f32(args.dtype, "tanh_forward");
  map(stream, args.count, args.y, 0, tanh_any, args.x);
}

void tanh_backward(Stream& stream, const TanhBackwardArgs& args) {
  require_f32(args.dtype, "tanh_backward");
  const auto gradient = [](Vector dy, Vector y) { return dy * (1.0f - y * y); };
  map(stream, args.count, args.dx, args.accumulate, gradient, args.dy, args.y);
}

void sigmoid_forward(Stream& stream, const SigmoidForwardArgs& args) {
  require_f32(args.dtype, "sigmoid_forward");
  map(
      stream, args.count, args.y, 0, [](Vector x) { return sigmoid(x); }, args.x);
}

void sigmoid_backward(Stream& stream, const SigmoidBackwardArgs& args) {
  require_f32(args.dtype, "sigmoid_backward");
  const auto gradient = [](Vector dy, Vector y) { return dy * y * (1.0f - y); };
  map(stream, args.count, args.dx, args.accumulate, gradient, args.dy, args.y);
}

void gelu_forward(Stream& stream, const GeluForwardArgs& args) {
  require_f32(args.dtype, "gelu_forward");
  map(
      stream, args.count, args.y, 0, [](Vector x) { return x * normal_probability(x); }, args.x);
}

void gelu_backward(Stream& stream, const GeluBackwardArgs& args) {
  require_f32(args.dtype, "gelu_backward");
  const auto gradient = [](Vector dy, Vector x) {
    return dy * (normal_probability(x) + x * (0.39894228f * exp_nonpositive(-0.5f * x * x)));
  };
  map(stream, args.count, args.dx, args.accumulate, gradient, args.dy, args.x);
}

}  // namespace cairn::simd
