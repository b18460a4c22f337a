// Arrays as Eigen's, and expressions of them in parallel. Every expression used here rounds the same way in Eigen's
// vector and scalar code, so that results depend neither on how the work is cut nor on how the arrays are aligned.
// Eigen's own tanh does not, hence vector.h's. Not here: the expressions.
#pragma once

#include <Eigen/Core>

#include "kernels/runtime/cpu/stream.h"
#include "kernels/simd/team.h"

namespace cairn::simd {

using cpu::Stream;

using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;

// out (+)= expression(begin, size), in parallel.
template <class Expression>
void map(Stream& stream, int64_t count, void* out, int32_t accumulate, const Expression& expression) {
  stream.pool.parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    Array to(floats(out) + begin, end - begin);
    if (accumulate)
      to += expression(begin, end - begin);
    else
      to = expression(begin, end - begin);
  });
}

// The part [begin, begin + size) of an array.
inline auto part(const void* array, int64_t begin, int64_t size) {
  return ConstArray(floats(array) + begin, size);
}

}  // namespace cairn::simd
