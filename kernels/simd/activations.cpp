// ReLU and tanh, forward and backward. Not here: their fusion into other primitives (bias.cpp, gemm.cpp).
#include "kernels/simd/map.h"
#include "kernels/simd/primitives.h"

namespace cairn::simd {

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

}  // namespace cairn::simd
