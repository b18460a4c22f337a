// The hand-written implementation's manifest, the same for both forms: one line per primitive. Not here: the kernels.
#include "kernels/vanilla/backend.h"

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {

const Backend& backend() {
  using device::entry;
  static const Backend instance = device::with_services({
      .name = "vanilla",
      .supports_f64 = 0,
      .summary = "hand-written CUDA kernels; on the CPU the same source runs on the SIMT executor",
      .variants = variants,

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
      .softmax_forward = entry<softmax_forward>,
      .softmax_backward = entry<softmax_backward>,
      .cross_entropy_forward = entry<cross_entropy_forward>,
      .cross_entropy_backward = entry<cross_entropy_backward>,
      .sum = entry<sum>,
      .broadcast_scalar = entry<broadcast_scalar>,
      .argmax = entry<argmax>,
      .classification_metrics = entry<classification_metrics>,
      .select_batch = entry<select_batch>,
      .gather_bytes = entry<gather_bytes>,
      .finish_step = entry<finish_step>,
      .uniform = entry<uniform>,
      .normal = entry<normal>,
      .sgd = entry<sgd>,
      .adam = entry<adam>,
  });
  return instance;
}

}  // namespace cairn::CAIRN_VANILLA
