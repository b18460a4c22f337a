// Sums, products, scaling, a scalar spread out, and copies of rows, as array expressions.
#include "kernels/simd/arrays.h"
#include "kernels/simd/primitives.h"

namespace cairn::simd {
void add(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "add");
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t begin, int64_t size) { return part(args.a, begin, size) + part(args.b, begin, size); });
}

void multiply(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "multiply");
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t begin, int64_t size) { return part(args.a, begin, size) * part(args.b, begin, size); });
}

void scale(Stream& stream, const ScaleArgs& args) {
  require_f32(args.dtype, "scale");
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t begin, int64_t size) { return part(args.x, begin, size) * static_cast<float>(args.factor); });
}

void broadcast_scalar(Stream& stream, const BroadcastScalarArgs& args) {
  require_f32(args.dtype, "broadcast_scalar");
  if (args.count == 0) return;
  const float value = static_cast<float>(args.factor) * floats(args.x)[0];
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t, int64_t size) { return Eigen::ArrayXf::Constant(size, value); });
}

void copy_rows(Stream& stream, const CopyRowsArgs& args) {
  require_f32(args.dtype, "copy_rows");
  if (args.columns == 0) return;
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, args.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Array y(floats(args.y) + row * args.y_stride, args.columns);
      const ConstArray x = part(args.x, row * args.x_stride, args.columns);
      if (args.accumulate)
        y += x;
      else
        y = x;
    }
  });
}

}  // namespace cairn::simd
