// The cudnn implementation's entry in kernels/registry.cpp.
#pragma once

#include "kernels/backend.h"

namespace cairn::cudnn {

const Backend& backend();

}  // namespace cairn::cudnn
