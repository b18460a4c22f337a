// A convolution whose kernel covers the whole image, so that y is one place, is a matrix product: an image's values lie
// in a row of x as a filter's do in a row of weight. Not here: any other convolution.
#pragma once

#include "kernels/backend.h"

namespace cairn {

inline bool covers_image(const Conv2dShape& s) {
  return s.kernel_height == s.in_height && s.kernel_width == s.in_width && s.out_height == 1 && s.out_width == 1 &&
         s.pad_height == 0 && s.pad_width == 0;
}

inline int64_t image_values(const Conv2dShape& s) {
  return s.in_channels * s.in_height * s.in_width;
}

// A product adds to nothing but its result.
inline bool is_product(const Conv2dForwardArgs& args) {
  return covers_image(args.shape) && !args.add;
}

// y[batch,out_channels] = x[batch,values] * weight[out_channels,values]^T
inline GemmArgs product_of(const Conv2dForwardArgs& args) {
  const Conv2dShape& s = args.shape;
  return {.dtype = args.dtype,
          .m = s.batch,
          .n = s.out_channels,
          .k = image_values(s),
          .a = args.x,
          .lda = image_values(s),
          .b = args.weight,
          .ldb = image_values(s),
          .transpose_b = 1,
          .c = args.y,
          .ldc = s.out_channels,
          .bias = args.bias,
          .relu = args.relu};
}

// dx[batch,values] (+)= dy[batch,out_channels] * weight[out_channels,values]
inline GemmArgs product_of(const Conv2dBackwardDataArgs& args) {
  const Conv2dShape& s = args.shape;
  return {.dtype = args.dtype,
          .m = s.batch,
          .n = image_values(s),
          .k = s.out_channels,
          .a = args.dy,
          .lda = s.out_channels,
          .b = args.weight,
          .ldb = image_values(s),
          .c = args.dx,
          .ldc = image_values(s),
          .accumulate = args.accumulate};
}

// dweight[out_channels,values] (+)= dy[batch,out_channels]^T * x[batch,values]
inline GemmArgs product_of(const Conv2dBackwardFilterArgs& args) {
  const Conv2dShape& s = args.shape;
  return {.dtype = args.dtype,
          .m = s.out_channels,
          .n = image_values(s),
          .k = s.batch,
          .a = args.dy,
          .lda = s.out_channels,
          .transpose_a = 1,
          .b = args.x,
          .ldb = image_values(s),
          .c = args.dweight,
          .ldc = image_values(s),
          .accumulate = args.accumulate};
}

}  // namespace cairn
