// The simd implementation's manifest: one line per primitive. Not here: the primitives.
#include "kernels/simd/backend.h"

#include "kernels/simd/primitives.h"

namespace cairn::simd {

using cpu::entry;

const Backend& backend() {
  static const Backend filled = cpu::with_services({
      .name = "simd",
      .falls_back = "reference",
      .supports_f64 = 0,
      .summary = "the fast CPU implementation: packed, vectorised and threaded, float32",
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
      .tanh_forward = entry<tanh_forward>,
      .tanh_backward = entry<tanh_backward>,
      .dropout = entry<dropout>,
      .uniform = entry<uniform>,
      .normal = entry<normal>,
      .add_noise = entry<add_noise>,
      .conv2d_forward = entry<conv2d_forward>,
      .conv2d_backward_data = entry<conv2d_backward_data>,
      .conv2d_backward_filter = entry<conv2d_backward_filter>,
      .conv2d_backward_bias = entry<conv2d_backward_bias>,
      .max_pool_forward = entry<max_pool_forward>,
      .max_pool_backward = entry<max_pool_backward>,
      .average_pool_forward = entry<average_pool_forward>,
      .average_pool_backward = entry<average_pool_backward>,
      .batch_norm_forward = entry<batch_norm_forward>,
      .batch_norm_backward = entry<batch_norm_backward>,
      .local_response_norm_forward = entry<local_response_norm_forward>,
      .local_response_norm_backward = entry<local_response_norm_backward>,
      .softmax_forward = entry<softmax_forward>,
      .softmax_backward = entry<softmax_backward>,
      .cross_entropy_forward = entry<cross_entropy_forward>,
      .cross_entropy_backward = entry<cross_entropy_backward>,
      .squared_error_forward = entry<squared_error_forward>,
      .squared_error_backward = entry<squared_error_backward>,
      .sum = entry<sum>,
      .argmax = entry<argmax>,
      .classification_metrics = entry<classification_metrics>,
      .select_rows = entry<select_rows>,
      .gather_rows = entry<gather_rows>,
      .augment_images = entry<augment_images>,
      .finish_step = entry<finish_step>,
      .increment = entry<increment>,
      .sgd = entry<sgd>,
      .adam = entry<adam>,
      .clip_gradients = entry<clip_gradients>,
      .moving_average = entry<moving_average>,
  });
  return filled;
}

}  // namespace cairn::simd
