// Sums, products, scaling, a scalar spread out, and copies of rows.
#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

void add(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "add");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.out, i, count), part(args.a, i, count) + part(args.b, i, count), args.accumulate);
  });
}

void multiply(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "multiply");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.out, i, count), part(args.a, i, count) * part(args.b, i, count), args.accumulate);
  });
}

void scale(Stream& stream, const ScaleArgs& args) {
  require_f32(args.dtype, "scale");
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.out, i, count), part(args.x, i, count) * static_cast<float>(args.factor), args.accumulate);
  });
}

void broadcast_scalar(Stream& stream, const BroadcastScalarArgs& args) {
  require_f32(args.dtype, "broadcast_scalar");
  if (args.count == 0) return;
  const float value = static_cast<float>(args.factor) * *static_cast<const float*>(args.x);
  for_each_piece(stream, Pieces(args.count, 1), [&](int64_t, int64_t i, int64_t count) {
    store(part(args.out, i, count), Eigen::ArrayXf::Constant(count, value), args.accumulate);
  });
}

void copy_rows(Stream& stream, const CopyRowsArgs& args) {
  require_f32(args.dtype, "copy_rows");
  for_each_piece(stream, Pieces(args.rows, args.columns), [&](int64_t, int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row)
      store(part(args.y, row * args.y_stride, args.columns), part(args.x, row * args.x_stride, args.columns),
            args.accumulate);
  });
}

}  // namespace cairn::eigen
