// Rows of a data set on their way into a step. Not here: products that read bytes themselves (byte_linear.cpp).
#include <ATen/ops/index_select.h>

#include <limits>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

at::Tensor Place::rows(const ByteRows& x) const {
  // How long the data set is, is not said; the indices are right.
  constexpr int64_t kAny = std::numeric_limits<int32_t>::max();
  at::Tensor bytes;
  if (x.index)
    bytes = at::index_select(view(at::kByte, x.bytes, {kAny, x.columns}, {}), 0, i32(x.index, {x.rows}));
  else
    bytes = view(at::kByte, x.bytes, {x.rows, x.columns}, {});
  return bytes.to(at::kFloat).mul_(x.scale).add_(x.shift);
}

void gather_rows(const Place& place, const GatherRowsArgs& args) {
  at::Tensor out = place.values(args.to, args.out, {args.rows, args.channels, args.plane});
  if (out.numel() == 0) return;
  // How long the data set is, is not said; the indices are right.
  const int64_t count = args.index ? std::numeric_limits<int32_t>::max() : args.rows;
  at::Tensor x = place.values(args.from, args.x, {count, args.channels, args.plane});
  if (args.index) x = at::index_select(x, 0, place.i32(args.index, {args.rows}));
  out.copy_(x);
  if (args.scale) out.mul_(place.f32(args.scale, {args.channels, 1})).add_(place.f32(args.shift, {args.channels, 1}));
}

}  // namespace cairn::torch
