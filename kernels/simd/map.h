// A function of vectors over whole arrays, in parallel. What remains at an array's end is computed in a vector too, so
// that an element's bits do not depend on where the work was cut. Not here: the functions (elementwise.cpp,
// activations.cpp).
#pragma once

#include <algorithm>

#include "kernels/runtime/cpu/stream.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

using cpu::Stream;

// to[i] (+)= function(from[i]...) for whole vectors. A function of its own, so that the compiler makes one machine code
// of it: where it is inlined, a product and the sum after it may become one instruction in one place and two in
// another.
template <class Function, class... From>
[[gnu::noinline]] void map_vectors(const Function& function, bool accumulate, float* to, int64_t count,
                                   const From*... from) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const Vector value = function(load(from + i)...);
    store(to + i, accumulate ? load(to + i) + value : value);
  }
}

// out[i] (+)= function(inputs[i]...), for i < count; out may be one of the inputs.
template <class Function, class... Input>
void map(Stream& stream, int64_t count, void* out, int32_t accumulate, const Function& function,
         const Input*... inputs) {
  stream.pool.parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    float* const to = floats(out) + begin;
    const int64_t whole = (end - begin) / kLanes * kLanes, left = end - begin - whole;
    map_vectors(function, accumulate != 0, to, whole, static_cast<const float*>(floats(inputs) + begin)...);
    if (left == 0) return;
    struct Lanes {
      alignas(64) float values[kLanes] = {};
    };
    const auto part = [&](const float* from) {
      Lanes lanes;
      std::copy_n(from, left, lanes.values);
      return lanes;
    };
    Lanes last = part(to + whole);
    map_vectors(function, accumulate != 0, last.values, kLanes,
                static_cast<const float*>(part(floats(inputs) + begin + whole).values)...);
    std::copy_n(last.values, left, to + whole);
  });
}

}  // namespace cairn::simd
