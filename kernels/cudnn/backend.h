// The cudnn implementation's entry in kernels/registry.cpp.
#pragma once

#include "kernels/backend.h"

namespace cairn::cudnn {

// others: vanilla's entries, for the calls of a primitive that NVIDIA's library does not have; the same at every call.
const Backend& backend(const Backend& others);

}  // namespace cairn::cudnn
