// The primitives of the simd implementation, one function each, behind the table in backend.cpp.
#pragma once

#include "kernels/runtime/cpu/stream.h"

namespace cairn::simd {

using cpu::Stream;

// Floats of the weights as conv2d_forward takes them for this shape; written to `prepared` unless that is null.
int64_t prepare_conv2d(Stream&, const Conv2dShape&, const void* weight, void* prepared);

// One function a primitive, in the file of its family.
#define CAIRN_PRIMITIVE(family, name, Args) void name(Stream&, const Args&);
CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE

}  // namespace cairn::simd
