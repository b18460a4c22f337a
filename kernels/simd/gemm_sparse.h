// The matrix product that skips the zeros of a. Not here: the dense one (gemm.cpp, which chooses).
#pragma once

#include "kernels/simd/primitives.h"

namespace cairn::simd {

// Whether half of a's elements or more are zeros, by a sample of its rows, and the product is large enough to gain.
bool is_sparse(const GemmArgs&);

// An infinite or nan element of b makes no nan where it would meet a zero of a.
void gemm_sparse(Stream&, const GemmArgs&);

}  // namespace cairn::simd
