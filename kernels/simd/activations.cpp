// ReLU and tanh, forward and backward. Not here: their fusion into other primitives (bias.cpp, gemm.cpp).
#include "kernels/simd/arrays.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

void relu_forward(Stream& stream, const ReluForwardArgs& args) {
  require_f32(args.dtype, "relu_forward");
  map(stream, args.count, args.y, 0, [&](int64_t begin, int64_t size) {
    const auto x = part(args.x, begin, size);
    return (x < 0.0f).select(0.0f, x);  // nan stays
  });
}

void relu_backward(Stream& stream, const ReluBackwardArgs& args) {
  require_f32(args.dtype, "relu_backward");
  map(stream, args.count, args.dx, args.accumulate, [&](int64_t begin, int64_t size) {
    return (part(args.y, begin, size) > 0.0f).select(part(args.dy, begin, size), 0.0f);
  });
}

// The remainder is computed in a vector too, so that an element's bits do not depend on where the work was cut.
void tanh_forward(Stream& stream, const TanhForwardArgs& args) {
  require_f32(args.dtype, "tanh_forward");
  stream.pool.parallel_for(args.count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kLanes) {
      const int64_t count = std::min<int64_t>(kLanes, end - i);
      store_part(floats(args.y) + i, tanh_any(load_part(floats(args.x) + i, count)), count);
    }
  });
}

void tanh_backward(Stream& stream, const TanhBackwardArgs& args) {
  require_f32(args.dtype, "tanh_backward");
  map(stream, args.count, args.dx, args.accumulate, [&](int64_t begin, int64_t size) {
    const auto y = part(args.y, begin, size);
    return part(args.dy, begin, size) * (1.0f - y * y);
  });
}

}  // namespace cairn::simd
