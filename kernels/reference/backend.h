// The reference implementation's entry in kernels/registry.cpp.
#pragma once

#include "kernels/backend.h"

namespace cairn::reference {

const Backend& backend();

}  // namespace cairn::reference
