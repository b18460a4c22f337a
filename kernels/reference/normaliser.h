// What turns a row of logits into probabilities: its maximum and its sum. Not here: its users (softmax.cpp,
// losses.cpp).
#pragma once

#include <cmath>

#include "kernels/reference/primitives.h"

namespace cairn::reference {

// A row's maximum and the sum over c of exp(row[c] - maximum), which cannot overflow.
struct Normaliser {
  double maximum, total;
};

template <class T>
Normaliser normaliser_of(const T* row, int64_t columns) {
  Normaliser result{row[first_maximum(row, columns)], 0};
  for (int64_t c = 0; c < columns; ++c) result.total += std::exp(row[c] - result.maximum);
  return result;
}

}  // namespace cairn::reference
