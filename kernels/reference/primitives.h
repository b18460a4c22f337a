// The reference implementation's primitives, and how they treat the two floating-point types. Not here: the seam's own
// conventions (kernels/backend.h).
//
// The rule of every file in this folder: values are read as float or double, all arithmetic and every sum is done in
// double, and a result is rounded once, when it is stored. So the float entries are as exact as a float can be, which
// is what an oracle is for. One thread, plain loops, in the order in which the formula of backend.h is written.
#pragma once

#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/backend.h"
#include "kernels/runtime/cpu/stream.h"

namespace cairn::reference {

using cpu::Stream;

template <class T>
struct Type {};

// Calls body(Type<float>{}) or body(Type<double>{}).
template <class Body>
void with_type(DType dtype, const char* primitive, const Body& body) {
  if (dtype == DType::f32) return body(Type<float>{});
  if (dtype == DType::f64) return body(Type<double>{});
  throw std::invalid_argument(std::string("reference: ") + primitive + " takes f32 or f64 arrays only");
}

// out = value or out += value.
template <class T>
void store(T& out, double value, int32_t accumulate) {
  out = static_cast<T>(accumulate ? out + value : value);
}

// max(0, value); nan stays nan.
inline double relu(double value) {
  return value < 0 ? 0 : value;
}

// The logistic function, of the activation and of a recurrent unit's gates.
inline double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// First column of the row's maximum, or of its first nan.
template <class T>
int64_t first_maximum(const T* row, int64_t columns) {
  int64_t best = 0;
  for (int64_t c = 0; c < columns; ++c) {
    if (std::isnan(row[c])) return c;
    if (row[c] > row[best]) best = c;
  }
  return best;
}

// One function a primitive, in the file of its family.
#define CAIRN_PRIMITIVE(family, name, Args) void name(Stream&, const Args&);
CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE

}  // namespace cairn::reference
