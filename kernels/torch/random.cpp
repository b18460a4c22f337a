// Dropout. ATen has a generator of its own, so that the fills and noise are left to the fallback.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "kernels/philox.h"
#include "kernels/torch/primitives.h"

namespace cairn::torch {

at::Tensor keep_mask(int64_t count, uint64_t seed, uint32_t stream, uint32_t step, double probability) {
  at::Tensor keep = at::empty({count}, at::TensorOptions().dtype(at::kBool));
  bool* kept = static_cast<bool*>(keep.data_ptr());
  constexpr int64_t kGrain = 4096;
  at::parallel_for(0, (count + 3) / 4, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      const philox::Block block = philox::draw(seed, stream, step, static_cast<uint64_t>(group));
      for (int64_t i = 4 * group; i < std::min(4 * group + 4, count); ++i)
        kept[i] = philox::uniform(block.word[i % 4]) >= probability;
    }
  });
  return keep;
}

// ATen has its own generator; the mask is Cairn's, so that it is the same on every implementation.
void dropout(const Place& place, const DropoutArgs& args) {
  const at::Tensor keep =
      keep_mask(args.count, args.seed, args.layer, static_cast<uint32_t>(*args.step), args.probability);
  const at::Tensor scaled = place.reals(args.dtype, args.x, {args.count}).div(1 - args.probability);
  store(place.reals(args.dtype, args.y, {args.count}), at::where(keep, scaled, at::Scalar(0)), args.accumulate);
}

}  // namespace cairn::torch
