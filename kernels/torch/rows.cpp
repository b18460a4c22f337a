// Rows of a byte data set.
#include <ATen/ops/index_select.h>

#include <limits>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

at::Tensor Place::rows(const ByteRows& x, at::ScalarType type) const {
  // How long the data set is, is not said; the indices are right.
  constexpr int64_t kAny = std::numeric_limits<int32_t>::max();
  at::Tensor bytes;
  if (x.index)
    bytes = at::index_select(view(at::kByte, x.bytes, {kAny, x.columns}, {}), 0, i32(x.index, {x.rows}));
  else
    bytes = view(at::kByte, x.bytes, {x.rows, x.columns}, {});
  return bytes.to(type).mul_(x.scale).add_(x.shift);
}

void gather_bytes(const Place& place, const GatherBytesArgs& args) {
  const at::Tensor out = place.reals(args.dtype, args.out, {args.x.rows, args.x.columns});
  if (out.numel() == 0) return;
  at::Tensor(out).copy_(place.rows(args.x, out.scalar_type()));
}

}  // namespace cairn::torch
