// Products with a matrix of bytes: gemm rung 5, which reads them in place. Not here: that rung (gemm/5_vectorised.cu).
#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {
namespace {

ByteLines byte_lines(const ByteRows& x) {
  const bool vectors = reinterpret_cast<uintptr_t>(x.bytes) % 4 == 0 && x.columns % 4 == 0;
  return {x.bytes, x.index, x.columns, checked_size(x.rows), checked_size(x.columns), x.scale, x.shift, vectors};
}

}  // namespace

void byte_linear_forward(Stream& stream, const ByteLinearForwardArgs& args) {
  if (args.x.rows == 0 || args.n == 0) return;
  const Product<ByteLines, FloatLines> product{checked_size(args.x.rows),
                                               checked_size(args.n),
                                               checked_size(args.x.columns),
                                               byte_lines(args.x),
                                               float_lines(args.weight, args.x.columns, args.n, args.x.columns),
                                               true,
                                               true,
                                               {args.y, args.n, args.bias, args.relu != 0, false}};
  gemm_vectorised(stream, product);
}

void byte_linear_backward_weight(Stream& stream, const ByteLinearBackwardWeightArgs& args) {
  if (args.n == 0 || args.x.columns == 0) return;
  const Product<FloatLines, ByteLines> product{checked_size(args.n),
                                               checked_size(args.x.columns),
                                               checked_size(args.x.rows),
                                               float_lines(args.dy, args.n, args.x.rows, args.n),
                                               byte_lines(args.x),
                                               false,
                                               false,
                                               {args.dweight, args.x.columns, nullptr, false, args.accumulate != 0}};
  gemm_vectorised(stream, product);
}

}  // namespace cairn::CAIRN_VANILLA
