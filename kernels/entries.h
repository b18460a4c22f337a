// The primitives of Backend as a list of its members, for code that does the same with each: benchmarks, which time
// them, and plugin.h, which describes them. Not here: their names (kPrimitives in backend.h has them in the same
// order).
#pragma once

#include "kernels/backend.h"

namespace cairn {

template <auto... members>
struct EntryList {
  static_assert(sizeof...(members) == kPrimitiveCount, "a primitive is missing from AllEntries");
};

using AllEntries =
    EntryList<&Backend::gemm, &Backend::byte_linear_forward, &Backend::byte_linear_backward_weight, &Backend::add,
              &Backend::multiply, &Backend::scale, &Backend::bias_forward, &Backend::bias_backward,
              &Backend::bias_relu_backward, &Backend::relu_forward, &Backend::relu_backward, &Backend::tanh_forward,
              &Backend::tanh_backward, &Backend::dropout, &Backend::conv2d_forward, &Backend::conv2d_backward_data,
              &Backend::conv2d_backward_filter, &Backend::conv2d_backward_bias, &Backend::max_pool_forward,
              &Backend::max_pool_backward, &Backend::average_pool_forward, &Backend::average_pool_backward,
              &Backend::batch_norm_forward, &Backend::batch_norm_backward, &Backend::local_response_norm_forward,
              &Backend::local_response_norm_backward, &Backend::copy_rows, &Backend::softmax_forward,
              &Backend::softmax_backward, &Backend::cross_entropy_forward, &Backend::cross_entropy_backward,
              &Backend::squared_error_forward, &Backend::squared_error_backward, &Backend::sum,
              &Backend::broadcast_scalar, &Backend::argmax, &Backend::classification_metrics, &Backend::select_batch,
              &Backend::gather_bytes, &Backend::finish_step, &Backend::uniform, &Backend::normal, &Backend::add_noise,
              &Backend::sgd, &Backend::adam, &Backend::sgd_steps>;

}  // namespace cairn
