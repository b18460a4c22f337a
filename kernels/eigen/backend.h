// The eigen implementation's entry in kernels/registry.cpp.
#pragma once

#include "kernels/backend.h"

namespace cairn::eigen {

const Backend& backend();

}  // namespace cairn::eigen
