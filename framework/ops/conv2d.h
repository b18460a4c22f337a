// Convolution as a differentiable op. Not here: the layer that owns weights (nn/image_layers.h).
#pragma once

#include "framework/ops/linear.h"
#include "framework/tensor.h"

namespace cairn {

struct Conv2dOptions {
  int64_t stride_height = 1, stride_width = 1;
  int64_t pad_height = 0, pad_width = 0;  // zeros on either side
  int64_t groups = 1;                     // others are refused
};

// y[n,k,p,q] = sum over c, r, s of x[n,c,p*stride-pad+r,q*stride-pad+s] * weight[k,c,r,s], + bias[k] + add[n,k,p,q],
// then the activation (a cross-correlation, as in every framework).
// x: N x C x H x W;  weight: out x C x kernel height x kernel width;  bias: out, or not defined;  add: as the result,
// or not defined. Returns N x out x H' x W', H' = floor((H + 2 pad - kernel) / stride) + 1. Errors: ShapeError.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {},
              Activation activation = Activation::none, const Tensor& add = {});

// Weights that do not change any more, in the order in which the device reads them for images of one size, so that it
// need not sort them at each call.
struct PreparedWeight {
  Tensor values;  // not defined: the device reads weights as they are
  Shape weight;   // what they were: out x C x kernel height x kernel width
  Shape image;    // C x H x W
};
PreparedWeight prepare_conv2d(const Shape& x, const Tensor& weight, const Conv2dOptions& options = {});

// The same for any number of images of the prepared size, without gradients. Errors: ShapeError, also for another size.
Tensor conv2d(const Tensor& x, const PreparedWeight& weight, const Tensor& bias, const Conv2dOptions& options,
              Activation activation, const Tensor& add);

// The shape of the result. Throws ShapeError as conv2d does.
Shape conv2d_output(const Shape& x, const Shape& weight, const Conv2dOptions& options = {});

}  // namespace cairn
