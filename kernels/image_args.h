// The argument structs of the primitives that work on images: convolution, pooling, normalisation.
// Not here: the conventions that hold for every primitive (backend.h), which primitives there are (primitives.h).
//
// Images are N x C x H x W, dense: a plane is H * W values, and the planes of an image follow one another.
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace cairn {

// ---- convolution ---------------------------------------------------------------------------------------------

// x: batch x in_channels x in_height x in_width;
// weight: out_channels x in_channels x kernel_height x kernel_width;   bias: out_channels;
// y: batch x out_channels x out_height x out_width.
// Row p of y looks at the rows p * stride_height - pad_height + r of x, r in [0, kernel_height); likewise columns. What
// lies outside x counts as zero, below and to the right too, however far the size of y makes the kernel reach there.
struct Conv2dShape {
  int64_t batch;
  int64_t in_channels, in_height, in_width;
  int64_t out_channels, out_height, out_width;
  int64_t kernel_height, kernel_width;
  int64_t stride_height, stride_width;
  int64_t pad_height, pad_width;  // above and to the left
};

// y[n,k,p,q] = sum over c, r, s of x[n,c,p*stride-pad+r,q*stride-pad+s] * weight[k,c,r,s], then + bias[k] and +
// add[n,k,p,q], in any order, then max(0, .)
struct Conv2dForwardArgs {
  DType dtype;
  Conv2dShape shape;
  const void* x;
  const void* weight;  // null where prepared is not
  const void* bias;    // or null
  const void* add;     // or null: as y, and not y itself
  // Or null: what Backend::prepare_conv2d made of the weights for this shape, whatever its batch.
  const void* prepared;
  void* y;
  int32_t relu;
};

// dx[n,c,h,w] (+)= sum over the k, r, s, p, q in which x[n,c,h,w] met weight[k,c,r,s], of dy[n,k,p,q] * weight[k,c,r,s]
struct Conv2dBackwardDataArgs {
  DType dtype;
  Conv2dShape shape;
  const void* dy;
  const void* weight;
  void* dx;
  int32_t accumulate;
};

// dweight[k,c,r,s] (+)= sum over n, p, q of dy[n,k,p,q] * x[n,c,p*stride-pad+r,q*stride-pad+s]
struct Conv2dBackwardFilterArgs {
  DType dtype;
  Conv2dShape shape;
  const void* x;
  const void* dy;
  void* dweight;
  int32_t accumulate;
};

// dz[n,k,i] = y[n,k,i] > 0 ? dy[n,k,i] : 0 (dy itself where y is null);   dbias[k] (+)= sum over n, i of dz[n,k,i]
struct Conv2dBackwardBiasArgs {
  DType dtype;
  int64_t batch, channels, plane;
  const void* dy;
  const void* y;  // the output of the ReLU, or null: there was none
  void* dz;       // null if and only if y is; may be dy
  void* dbias;    // or null
  int32_t accumulate;
};

// ---- pooling -------------------------------------------------------------------------------------------------

// x: planes x in_height x in_width;  y: planes x out_height x out_width, planes = batch * channels. The window of row p
// covers the rows p * stride_height - pad_height + r, r in [0, window_height), as far as x has them: at least one.
struct PoolShape {
  int64_t planes;
  int64_t in_height, in_width;
  int64_t out_height, out_width;
  int64_t window_height, window_width;
  int64_t stride_height, stride_width;
  int64_t pad_height, pad_width;  // above and to the left
};

// y[i] = the window's maximum, then max(0, .);   indices[i] = where in its plane of x (row * in_width + column) it
// stands first, by rows; nan counts as above every number, as in PyTorch.
struct MaxPoolForwardArgs {
  DType dtype;
  PoolShape shape;
  const void* x;
  void* y;
  int32_t* indices;  // or null: not wanted
  int32_t relu;
};

// dx[j] (+)= sum, by rows of y, over the i of its plane with indices[i] == j of dy[i], where y is null or y[i] > 0
struct MaxPoolBackwardArgs {
  DType dtype;
  PoolShape shape;
  const void* dy;
  const int32_t* indices;
  const void* y;  // the output of the ReLU, or null: there was none
  void* dx;
  int32_t accumulate;
};

// y[i] = sum over the window / divisor: the window's size as far as it lies in x or its padding, of which there is as
// much below and to the right as above and to the left (count_padding, PyTorch's default), or the number of values of x
// in it. The first is less than window_height * window_width where rounding up made the last window reach beyond the
// padding.
struct AveragePoolForwardArgs {
  DType dtype;
  PoolShape shape;
  const void* x;
  void* y;
  int32_t count_padding;
};

// dx[j] (+)= sum, by rows of y, over the i in whose window j lies, of dy[i] / divisor of i
struct AveragePoolBackwardArgs {
  DType dtype;
  PoolShape shape;
  const void* dy;
  void* dx;
  int32_t count_padding;
  int32_t accumulate;
};

// ---- normalisation -------------------------------------------------------------------------------------------

// Ioffe & Szegedy 2015, per channel over batch and plane, M = batch * plane values:
//   y = (x - mean) * inverse_std * weight + bias,   inverse_std = 1 / sqrt(variance + epsilon)
// training: mean and (biased) variance are those of x, and with momentum m
//   running_mean = (1 - m) running_mean + m mean,  running_variance = (1 - m) running_variance + m variance M / (M - 1)
// otherwise mean and variance are the running ones. M = 1 in training leaves running_variance as it is.
struct BatchNormForwardArgs {
  DType dtype;
  int64_t batch, channels, plane;
  const void* x;
  const void* weight;
  const void* bias;
  void* running_mean;  // channels, as the next; read, and in training written
  void* running_variance;
  void* mean;  // out, channels, as the next: what was used, kept for the backward pass
  void* inverse_std;
  void* y;
  double momentum, epsilon;
  int32_t training;
};

// With xhat = (x - mean) * inverse_std, and sums over the M values of a channel:
//   dbias (+)= sum dy,   dweight (+)= sum dy xhat
//   dx (+)= weight * inverse_std * (dy - (sum dy + xhat * sum dy xhat) / M)    in training, otherwise without the sums
struct BatchNormBackwardArgs {
  DType dtype;
  int64_t batch, channels, plane;
  const void* x;
  const void* dy;
  const void* weight;
  const void* mean;
  const void* inverse_std;
  void* dx;  // each of the three may be null
  void* dweight;
  void* dbias;
  int32_t training;
  int32_t accumulate_dx, accumulate_dweight, accumulate_dbias;
};

// Across channels, Krizhevsky et al. 2012, with PyTorch's alpha (the mean's factor; others give the sum's, alpha /
// size):
//   scale[n,c,i] = k + alpha / size * sum over j in [c - size / 2, c + (size - 1) / 2], as far as there are such
//   channels, of x[n,j,i]^2;    y = x * scale^-beta
struct LocalResponseNormForwardArgs {
  DType dtype;
  int64_t batch, channels, plane;
  const void* x;
  void* y;
  void* scale;  // out, as x, for the backward pass; or null: not wanted
  int64_t size;
  double alpha, beta, k;
};

// dx[n,j,i] (+)= dy[j] scale[j]^-beta - 2 alpha beta / size * x[j] * sum over the c whose window holds j of
//                dy[c] x[c] scale[c]^(-beta-1)      (all at n, i)
struct LocalResponseNormBackwardArgs {
  DType dtype;
  int64_t batch, channels, plane;
  const void* x;
  const void* scale;
  const void* dy;
  void* dx;
  int64_t size;
  double alpha, beta;
  int32_t accumulate;
};

}  // namespace cairn
