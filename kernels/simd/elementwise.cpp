// Sums, products, scaling, a scalar spread out, and copies of rows.
#include <cstring>

#include "kernels/simd/map.h"
#include "kernels/simd/primitives.h"

namespace cairn::simd {

void add(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "add");
  map(
      stream, args.count, args.out, args.accumulate, [](Vector a, Vector b) { return a + b; }, args.a, args.b);
}

void multiply(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "multiply");
  map(
      stream, args.count, args.out, args.accumulate, [](Vector a, Vector b) { return a * b; }, args.a, args.b);
}

void scale(Stream& stream, const ScaleArgs& args) {
  require_f32(args.dtype, "scale");
  const auto factor = static_cast<float>(args.factor);
  map(
      stream, args.count, args.out, args.accumulate, [=](Vector x) { return x * factor; }, args.x);
}

void broadcast_scalar(Stream& stream, const BroadcastScalarArgs& args) {
  require_f32(args.dtype, "broadcast_scalar");
  if (args.count == 0) return;
  const Vector value = splat(static_cast<float>(args.factor) * floats(args.x)[0]);
  map(stream, args.count, args.out, args.accumulate, [=] { return value; });
}

void copy_rows(Stream& stream, const CopyRowsArgs& args) {
  require_f32(args.dtype, "copy_rows");
  if (args.columns == 0) return;
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, args.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float* y = floats(args.y) + row * args.y_stride;
      const float* x = floats(args.x) + row * args.x_stride;
      if (!args.accumulate) {
        std::memcpy(y, x, static_cast<size_t>(args.columns) * sizeof(float));
        continue;
      }
      for (int64_t c = 0; c < args.columns; ++c) y[c] += x[c];
    }
  });
}

}  // namespace cairn::simd
