// Reading one value of a float matrix that is kept as bytes (ByteRows in kernels/backend.h). Not here: its users.
#pragma once

#include "kernels/backend.h"

namespace cairn::reference {

inline double byte_value(const ByteRows& x, int64_t row, int64_t column) {
  const int64_t image = x.index ? x.index[row] : row;
  return static_cast<double>(x.bytes[image * x.columns + column]) * x.scale + x.shift;
}

}  // namespace cairn::reference
