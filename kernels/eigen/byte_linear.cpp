// Products with a matrix of bytes, which becomes floats in the workspace first. Not here: the product (gemm.cpp).
#include "kernels/eigen/primitives.h"

namespace cairn::eigen {
namespace {

float* as_floats(Stream& stream, const ByteRows& x) {
  auto* out = static_cast<float*>(stream.workspace(static_cast<size_t>(x.rows * x.columns) * sizeof(float)));
  for_each_piece(stream, Pieces(x.rows, x.columns), [&](int64_t, int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row) {
      const uint8_t* bytes = x.bytes + (x.index ? x.index[row] : row) * x.columns;
      part(out, row * x.columns, x.columns) =
          Eigen::Map<const Eigen::Array<uint8_t, Eigen::Dynamic, 1>>(bytes, x.columns).cast<float>() * x.scale +
          x.shift;
    }
  });
  return out;
}

}  // namespace

void byte_linear_forward(Stream& stream, const ByteLinearForwardArgs& args) {
  gemm(stream, {.dtype = DType::f32,
                .m = args.x.rows,
                .n = args.n,
                .k = args.x.columns,
                .a = as_floats(stream, args.x),
                .lda = args.x.columns,
                .b = args.weight,
                .ldb = args.x.columns,
                .transpose_b = 1,
                .c = args.y,
                .ldc = args.n,
                .bias = args.bias,
                .relu = args.relu});
}

void byte_linear_backward_weight(Stream& stream, const ByteLinearBackwardWeightArgs& args) {
  gemm(stream, {.dtype = DType::f32,
                .m = args.n,
                .n = args.x.columns,
                .k = args.x.rows,
                .a = args.dy,
                .lda = args.n,
                .transpose_a = 1,
                .b = as_floats(stream, args.x),
                .ldb = args.x.columns,
                .c = args.dweight,
                .ldc = args.x.columns,
                .accumulate = args.accumulate});
}

}  // namespace cairn::eigen
