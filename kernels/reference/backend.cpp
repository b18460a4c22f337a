// The reference implementation's manifest: one line per primitive. Not here: the loops themselves.
#include "kernels/reference/backend.h"

#include "kernels/reference/primitives.h"
#include "kernels/runtime/cpu/stream.h"

namespace cairn::reference {

const Backend& backend() {
  using cpu::entry;
  static const Backend instance = cpu::with_services({
      .name = "reference",
      .falls_back = nullptr,
      .supports_f64 = 1,
      .summary = "plain loops in float and double: the oracle, and the page to read first",

      .gemm = entry<gemm>,
      .byte_linear_forward = entry<byte_linear_forward>,
      .byte_linear_backward_weight = entry<byte_linear_backward_weight>,
      .add = entry<add>,
      .multiply = entry<multiply>,
      .scale = entry<scale>,
      .bias_forward = entry<bias_forward>,
      .bias_backward = entry<bias_backward>,
      .bias_relu_backward = entry<bias_relu_backward>,
      .relu_forward = entry<relu_forward>,
      .relu_backward = entry<relu_backward>,
      .tanh_forward = entry<tanh_forward>,
      .tanh_backward = entry<tanh_backward>,
      .dropout = entry<dropout>,
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
      .copy_rows = entry<copy_rows>,
      .softmax_forward = entry<softmax_forward>,
      .softmax_backward = entry<softmax_backward>,
      .cross_entropy_forward = entry<cross_entropy_forward>,
      .cross_entropy_backward = entry<cross_entropy_backward>,
      .squared_error_forward = entry<squared_error_forward>,
      .squared_error_backward = entry<squared_error_backward>,
      .sum = entry<sum>,
      .broadcast_scalar = entry<broadcast_scalar>,
      .argmax = entry<argmax>,
      .classification_metrics = entry<classification_metrics>,
      .select_batch = entry<select_batch>,
      .gather_bytes = entry<gather_bytes>,
      .finish_step = entry<finish_step>,
      .uniform = entry<uniform>,
      .normal = entry<normal>,
      .add_noise = entry<add_noise>,
      .sgd = entry<sgd>,
      .adam = entry<adam>,
      .sgd_steps = entry<sgd_steps>,
  });
  return instance;
}

}  // namespace cairn::reference
