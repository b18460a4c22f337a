// Choosing a batch and normalising its bytes. Not here: the byte matrix products (byte_linear.cpp).
#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"

namespace cairn::simd {

void select_batch(Stream& stream, const SelectBatchArgs& args) {
  if (args.rows == 0) return;
  const int64_t batch = *args.step % args.steps_per_epoch;
  const int32_t* order = args.order + batch * args.batch_size;
  stream.pool.parallel_for(args.rows, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      args.index[i] = order[i];
      args.labels[i] = args.all_labels[order[i]];
    }
  });
}

void gather_bytes(Stream& stream, const GatherBytesArgs& args) {
  require_f32(args.dtype, "gather_bytes");
  const ByteRows& x = args.x;
  if (x.rows == 0 || x.columns == 0) return;
  stream.pool.parallel_for(x.rows, ceil_div(kGrain, x.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const uint8_t* __restrict__ from = x.bytes + (x.index ? x.index[row] : row) * x.columns;
      float* __restrict__ to = floats(args.out) + row * x.columns;
      for (int64_t c = 0; c < x.columns; ++c) to[c] = static_cast<float>(from[c]) * x.scale + x.shift;
    }
  });
}

}  // namespace cairn::simd
