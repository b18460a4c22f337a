// Sums, products, bias, ReLU, tanh, copies and dropout. Not here: convolutions' bias (conv2d.cpp).
#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "kernels/philox.h"
#include "kernels/torch/primitives.h"

namespace cairn::torch {

void add(const Place& place, const BinaryArgs& args) {
  at::Tensor out = place.reals(args.dtype, args.out, {args.count});
  const at::Tensor a = place.reals(args.dtype, args.a, {args.count}), b = place.reals(args.dtype, args.b, {args.count});
  if (args.accumulate)
    out.add_(at::add(a, b));
  else
    at::add_out(out, a, b);
}

void multiply(const Place& place, const BinaryArgs& args) {
  at::Tensor out = place.reals(args.dtype, args.out, {args.count});
  const at::Tensor a = place.reals(args.dtype, args.a, {args.count}), b = place.reals(args.dtype, args.b, {args.count});
  if (args.accumulate)
    out.add_(at::mul(a, b));
  else
    at::mul_out(out, a, b);
}

void scale(const Place& place, const ScaleArgs& args) {
  at::Tensor out = place.reals(args.dtype, args.out, {args.count});
  const at::Tensor x = place.reals(args.dtype, args.x, {args.count});
  store(out, at::mul(x, args.factor), args.accumulate);
}

void bias_forward(const Place& place, const BiasForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.rows, args.columns});
  at::add_out(y, place.reals(args.dtype, args.x, {args.rows, args.columns}),
              place.reals(args.dtype, args.bias, {args.columns}));
  if (args.relu) y.clamp_min_(0);
}

void bias_backward(const Place& place, const BiasBackwardArgs& args) {
  at::Tensor dbias = place.reals(args.dtype, args.dbias, {args.columns});
  const at::Tensor dy = place.reals(args.dtype, args.dy, {args.rows, args.columns});
  store(dbias, dy.sum(0), args.accumulate);
}

void bias_relu_backward(const Place& place, const BiasReluBackwardArgs& args) {
  at::Tensor dz = place.reals(args.dtype, args.dz, {args.rows, args.columns});
  dz.copy_(where_positive(place.reals(args.dtype, args.y, {args.rows, args.columns}),
                          place.reals(args.dtype, args.dy, {args.rows, args.columns})));
  if (args.dbias) store(place.reals(args.dtype, args.dbias, {args.columns}), dz.sum(0), args.accumulate);
}

void relu_forward(const Place& place, const ReluForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.count});
  at::clamp_min_out(y, place.reals(args.dtype, args.x, {args.count}), 0);
}

void relu_backward(const Place& place, const ReluBackwardArgs& args) {
  store(place.reals(args.dtype, args.dx, {args.count}),
        where_positive(place.reals(args.dtype, args.y, {args.count}), place.reals(args.dtype, args.dy, {args.count})),
        args.accumulate);
}

void tanh_forward(const Place& place, const TanhForwardArgs& args) {
  at::Tensor y = place.reals(args.dtype, args.y, {args.count});
  at::tanh_out(y, place.reals(args.dtype, args.x, {args.count}));
}

void tanh_backward(const Place& place, const TanhBackwardArgs& args) {
  store(
      place.reals(args.dtype, args.dx, {args.count}),
      at::tanh_backward(place.reals(args.dtype, args.dy, {args.count}), place.reals(args.dtype, args.y, {args.count})),
      args.accumulate);
}

void copy_rows(const Place& place, const CopyRowsArgs& args) {
  if (args.rows == 0 || args.columns == 0) return;
  store(place.reals(args.dtype, args.y, {args.rows, args.columns}, {args.y_stride, 1}),
        place.reals(args.dtype, args.x, {args.rows, args.columns}, {args.x_stride, 1}), args.accumulate);
}

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
