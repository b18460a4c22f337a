// Which implementations this build holds. Not here: choosing one (framework/device.h does).
#pragma once

#include <vector>

#include "kernels/backend.h"

namespace cairn {

// In the order in which `info` lists them. Pointers stay valid for the life of the process.
const std::vector<const Backend*>& compiled_backends();

// The implementation of that name at that place, or null.
const Backend* find_backend(const char* name, Where where);

}  // namespace cairn
