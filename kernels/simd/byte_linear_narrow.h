// Linear layers on bytes with few outputs, such as a classifier right on the pixels. Not here: the wide ones and the
// choice between the two (byte_linear.cpp).
#pragma once

#include "kernels/simd/primitives.h"

namespace cairn::simd {

inline constexpr int64_t kMostNarrow = 10;  // outputs: a vector of sums for each fits into 16 registers

void narrow_forward(Stream&, const ByteLinearForwardArgs&);
// shift_part: what shift contributes to each output's row of dweight, or null
void narrow_backward_weight(Stream&, const ByteLinearBackwardWeightArgs&, const float* shift_part);

}  // namespace cairn::simd
