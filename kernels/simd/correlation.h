// Sliding a kernel over images, which the forward pass and the gradient of the input both are. Not here: which kernel
// slides over what (conv2d.cpp); the gradient of the weights (conv2d_filter.cpp).
#pragma once

#include "kernels/simd/padded_images.h"
#include "kernels/simd/primitives.h"

namespace cairn::simd {

// output[n,o,i,j] = sum over c, r, s of image[n,c, i*step_height + r, j*step_width + s] * weight[o,c,r,s],
// + add[n,o,i,j], + bias[o], then max(0, .). Image: the padded one. Weight, output and add are seen through strides,
// which may be negative: element [o,c,r,s] of weight is weight[o*weight_strides[0] + ... + s*weight_strides[3]].
struct Correlation {
  int64_t batch;
  PaddedImages images;  // padded_height and padded_width are filled in by correlate
  int64_t kernel_height, kernel_width;
  int64_t step_height, step_width;
  const float* weight;
  int64_t weight_strides[4];
  int64_t out_channels, out_height, out_width;
  float* output;
  int64_t output_strides[4];
  const float* add;   // or null, or the output: seen through its strides
  const float* bias;  // or null
  bool relu;
  const float* prepared;  // the weight as prepare_correlation packed it, or null

  int64_t depth() const { return images.channels * kernel_height * kernel_width; }
};

void correlate(Stream&, Correlation);

// How many floats correlate's own order of the weight takes; `to`: where they are written, or null.
int64_t prepare_correlation(Stream&, Correlation, float* to);

// For one image, in multiply-adds of a vector.
double correlation_cost(const Correlation&);

}  // namespace cairn::simd
