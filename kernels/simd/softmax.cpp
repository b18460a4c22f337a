// Softmax over rows, forward and backward. Not here: the losses (losses.cpp).
#include "kernels/simd/primitives.h"
#include "kernels/simd/row_blocks.h"

namespace cairn::simd {
void softmax_forward(Stream& stream, const SoftmaxForwardArgs& args) {
  require_f32(args.dtype, "softmax_forward");
  if (args.rows == 0 || args.columns == 0) return;
  for_row_blocks(stream, args.rows, args.columns, 1, [&](float* block, int64_t row) {
    transpose_in(floats(args.x), args.columns, args.columns, row, args.rows, block);
    softmax_block(block, args.columns);
    transpose_out(block, args.columns, args.columns, row, args.rows, floats(args.y));
  });
}

void softmax_backward(Stream& stream, const SoftmaxBackwardArgs& args) {
  require_f32(args.dtype, "softmax_backward");
  if (args.rows == 0 || args.columns == 0) return;
  const int64_t columns = args.columns;
  for_row_blocks(stream, args.rows, columns, 2, [&](float* y, int64_t row) {
    float* dy = y + columns * kLanes;
    transpose_in(floats(args.y), columns, columns, row, args.rows, y);
    transpose_in(floats(args.dy), columns, columns, row, args.rows, dy);
    Vector dot{};
    for (int64_t i = 0; i < columns * kLanes; i += kLanes) dot += load(y + i) * load(dy + i);
    for (int64_t i = 0; i < columns * kLanes; i += kLanes) store(dy + i, load(y + i) * (load(dy + i) - dot));
    if (args.accumulate) {
      transpose_in(floats(args.dx), columns, columns, row, args.rows, y);
      for (int64_t i = 0; i < columns * kLanes; i += kLanes) store(dy + i, load(dy + i) + load(y + i));
    }
    transpose_out(dy, columns, columns, row, args.rows, floats(args.dx));
  });
}

}  // namespace cairn::simd
