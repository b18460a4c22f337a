// Convolution by Winograd's minimal filtering: kernels of 3 x 3 and 5 x 5 and step 1 between many channels. Not here:
// when it is worth its while, which the callers decide by cost (correlation.cpp, conv2d_filter.cpp).
#pragma once

#include "kernels/simd/correlation.h"

namespace cairn::simd {

// 16 channels on either side at least, results side by side, and no more padding than keeps an image's size.
bool can_filter_minimally(const Correlation&);

// For one image, in multiply-adds of a vector. prepared: without the transform of the filters.
double minimal_filtering_cost(const Correlation&, bool prepared);

void filter_minimally(Stream&, const Correlation&);

// The filters as filter_minimally reads them: Correlation::prepared.
int64_t minimal_filter_floats(const Correlation&);
void transform_filters(Stream&, const Correlation&, float* to);

// The same for the gradient of the weights, of many tiles: as a sum of few, its rounding would show.
bool can_filter_minimally(const Conv2dShape&);
double minimal_filter_gradient_cost(const Conv2dShape&);
void minimal_filter_gradient(Stream&, const Conv2dBackwardFilterArgs&);

}  // namespace cairn::simd
