// The library's own matrix product as an implementation, to measure the others against. Not here: the `simd`
// implementation (kernels/simd), which is Cairn's own code.
#pragma once

#include "kernels/backend.h"

namespace cairn::benchmarks {

inline constexpr const char* kLibraryName = "Eigen's product";

// Eigen::Matrix's product, with one slab of the result for each thread; nothing but gemm.
const Backend& simd_library();

}  // namespace cairn::benchmarks
