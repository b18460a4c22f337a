// ReLU, tanh, sigmoid and GELU, forward and backward. Not here: their fusion into other primitives (bias.cu, gemm/).
#include "kernels/vanilla/elementwise.h"
#include "kernels/vanilla/sigmoid.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// Written as a comparison with 0 because fmaxf would turn nan into 0.
struct Relu {
  __device__ float operator()(float x) const { return x < 0.0f ? 0.0f : x; }
};
struct ReluGradient {
  __device__ float operator()(float dy, float y) const { return y > 0.0f ? dy : 0.0f; }
};
struct Tanh {
  __device__ float operator()(float x) const { return tanhf(x); }
};
struct TanhGradient {
  __device__ float operator()(float dy, float y) const { return dy * (1.0f - y * y); }
};
struct Sigmoid {
  __device__ float operator()(float x) const { return sigmoid(x); }
};
struct SigmoidGradient {
  __device__ float operator()(float dy, float y) const { return dy * y * (1.0f - y); }
};

// The normal distribution's. erfc, not 1 + erf, which far below 0 would be a difference of equals.
__device__ __forceinline__ float normal_probability(float x) {
  return 0.5f * erfcf(-0.70710678f * x);
}
struct Gelu {
  __device__ float operator()(float x) const { return x * normal_probability(x); }
};
struct GeluGradient {
  __device__ float operator()(float dy, float x) const {
    return dy * (normal_probability(x) + x * (0.39894228f * expf(-0.5f * x * x)));
  }
};

}  // namespace

void relu_forward(Stream& stream, const ReluForwardArgs& args) {
  require_f32(args.dtype, "relu_forward");
  map(stream, args.count, args.y, 0, Relu{}, args.x);
}

void relu_backward(Stream& stream, const ReluBackwardArgs& args) {
  require_f32(args.dtype, "relu_backward");
  map(stream, args.count, args.dx, args.accumulate, ReluGradient{}, args.dy, args.y);
}

void tanh_forward(Stream& stream, const TanhForwardArgs& args) {
  require_f32(args.dtype, "tanh_forward");
  map(stream, args.count, args.y, 0, Tanh{}, args.x);
}

void tanh_backward(Stream& stream, const TanhBackwardArgs& args) {
  require_f32(args.dtype, "tanh_backward");
  map(stream, args.count, args.dx, args.accumulate, TanhGradient{}, args.dy, args.y);
}

void sigmoid_forward(Stream& stream, const SigmoidForwardArgs& args) {
  require_f32(args.dtype, "sigmoid_forward");
  map(stream, args.count, args.y, 0, Sigmoid{}, args.x);
}

void sigmoid_backward(Stream& stream, const SigmoidBackwardArgs& args) {
  require_f32(args.dtype, "sigmoid_backward");
  map(stream, args.count, args.dx, args.accumulate, SigmoidGradient{}, args.dy, args.y);
}

void gelu_forward(Stream& stream, const GeluForwardArgs& args) {
  require_f32(args.dtype, "gelu_forward");
  map(stream, args.count, args.y, 0, Gelu{}, args.x);
}

void gelu_backward(Stream& stream, const GeluBackwardArgs& args) {
  require_f32(args.dtype, "gelu_backward");
  map(stream, args.count, args.dx, args.accumulate, GeluGradient{}, args.dy, args.x);
}

}  // namespace cairn::CAIRN_VANILLA
