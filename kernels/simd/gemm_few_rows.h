// The matrix product of few rows with a transposed b, as a linear layer has it of one picture. Not here: the others
// (gemm.cpp, which chooses).
#pragma once

#include "kernels/simd/primitives.h"

namespace cairn::simd {

bool has_few_rows(const GemmArgs&);

void gemm_few_rows(Stream&, const GemmArgs&);

}  // namespace cairn::simd
