// The gradient of a convolution's input by adding each tap's products where they belong. Not here: the other way, a
// correlation over dy (conv2d.cpp, which chooses).
#pragma once

#include "kernels/simd/primitives.h"

namespace cairn::simd {

// Only where stride_width is 1 and a plane of dy has a vector's lanes.
bool can_scatter(const Conv2dShape&);

// For one image, in multiply-adds of a vector.
double scatter_cost(const Conv2dShape&);

void scatter_backward_data(Stream&, const Conv2dBackwardDataArgs&);

}  // namespace cairn::simd
