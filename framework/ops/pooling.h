// Max and average pools as differentiable ops. Not here: the layers (nn/image_layers.h).
#pragma once

#include "framework/ops/linear.h"
#include "framework/tensor.h"

namespace cairn {

struct PoolOptions {
  int64_t window_height, window_width;
  int64_t stride_height, stride_width;
  int64_t pad_height = 0, pad_width = 0;  // on either side; at most half the window
  bool ceil = false;                      // a last window may reach beyond the padding
};

// x: N x C x H x W. Return N x C x H' x W', H' = floor((H + 2 pad - window) / stride) + 1, or with ceil the least that
// covers x. Errors: ShapeError.
// max_pool2d: then the activation: max(0, the window's maximum). Padding never wins.
Tensor max_pool2d(const Tensor& x, const PoolOptions& options, Activation activation = Activation::none);
// count_padding: the divisor is the window's size (PyTorch's count_include_pad, but what ceil lets reach beyond the
// padding counts too); otherwise it is the number of values of x in the window.
Tensor average_pool2d(const Tensor& x, const PoolOptions& options, bool count_padding = true);

// Over the whole plane: N x C x H x W to N x C.
Tensor global_max_pool2d(const Tensor& x);
Tensor global_average_pool2d(const Tensor& x);

// The shape of a pool's result. Throws ShapeError as the pools do; op: whose error it is.
Shape pool_output(const char* op, const Shape& x, const PoolOptions& options);

}  // namespace cairn
