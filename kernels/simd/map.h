// A function of vectors over whole arrays, in parallel. What remains at an array's end is computed in a vector too, so
// that an element's bits do not depend on where the work was cut. Not here: the functions (elementwise.cpp,
// activations.cpp).
#pragma once

#include "kernels/runtime/cpu/stream.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

using cpu::Stream;

// out[i] (+)= function(inputs[i]...), for i < count; out may be one of the inputs.
template <class Function, class... Input>
void map(Stream& stream, int64_t count, void* out, int32_t accumulate, const Function& function,
         const Input*... inputs) {
  float* to = floats(out);
  stream.pool.parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      const Vector value = function(load(floats(inputs) + i)...);
      store(to + i, accumulate ? load(to + i) + value : value);
    }
    if (i == end) return;
    const Vector value = function(load_part(floats(inputs) + i, end - i)...);
    store_part(to + i, accumulate ? load_part(to + i, end - i) + value : value, end - i);
  });
}

}  // namespace cairn::simd
