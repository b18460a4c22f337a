// The eigen implementation's manifest. What is not here falls back on simd: random numbers, pooling, normalisation,
// rows of a data set, the clock and the optimizers, of which Eigen has nothing, and tanh, whose bits Eigen lets depend
// on where an element stands.
#include "kernels/eigen/backend.h"

#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

const Backend& backend() {
  using cpu::entry;
  static const Backend filled = cpu::with_services({
      .name = "eigen",
      .falls_back = "simd",
      .supports_f64 = 0,
      .summary = "what a library gives you: products, reductions and expressions of Eigen's, float32",
      .gemm = entry<gemm>,
      .byte_linear_forward = entry<byte_linear_forward>,
      .byte_linear_backward_weight = entry<byte_linear_backward_weight>,
      .add = entry<add>,
      .multiply = entry<multiply>,
      .scale = entry<scale>,
      .copy_rows = entry<copy_rows>,
      .broadcast_scalar = entry<broadcast_scalar>,
      .bias_forward = entry<bias_forward>,
      .bias_backward = entry<bias_backward>,
      .bias_relu_backward = entry<bias_relu_backward>,
      .relu_forward = entry<relu_forward>,
      .relu_backward = entry<relu_backward>,
      .tanh_backward = entry<tanh_backward>,
      .conv2d_forward = entry<conv2d_forward>,
      .conv2d_backward_data = entry<conv2d_backward_data>,
      .conv2d_backward_filter = entry<conv2d_backward_filter>,
      .conv2d_backward_bias = entry<conv2d_backward_bias>,
      .softmax_forward = entry<softmax_forward>,
      .softmax_backward = entry<softmax_backward>,
      .cross_entropy_forward = entry<cross_entropy_forward>,
      .cross_entropy_backward = entry<cross_entropy_backward>,
      .squared_error_forward = entry<squared_error_forward>,
      .squared_error_backward = entry<squared_error_backward>,
      .sum = entry<sum>,
      .argmax = entry<argmax>,
      .classification_metrics = entry<classification_metrics>,
  });
  return filled;
}

}  // namespace cairn::eigen
