// The vanilla implementation's entries in kernels/registry.cpp: the same CUDA source, compiled for the CPU and,
// where nvcc is, for the GPU.
#pragma once

#include "kernels/backend.h"

namespace cairn::vanilla_cpu {
const Backend& backend();
}

namespace cairn::vanilla_cuda {
const Backend& backend();  // only in a build with CUDA
}
