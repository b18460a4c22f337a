// The simd implementation's entry in kernels/registry.cpp.
#pragma once

#include "kernels/backend.h"

namespace cairn::simd {

const Backend& backend();

}  // namespace cairn::simd
