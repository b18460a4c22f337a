// Batch normalisation and local response normalisation.
#include <ATen/ops/addcmul.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/rsqrt.h>

#include <array>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

template <class Args>
std::array<int64_t, 3> sizes_of(const Args& args) {
  return {args.batch, args.channels, args.plane};
}

// mean over the channels [c - before, c + after] of x[n,c,i], those outside counting as 0
at::Tensor channel_means(const at::Tensor& x, int64_t before, int64_t after) {
  const at::Tensor framed = at::constant_pad_nd(x.unsqueeze(1), {0, 0, before, after});
  return at::avg_pool2d(framed, {before + after + 1, 1}, {1, 1}).squeeze(1);
}

}  // namespace

void batch_norm_forward(const Place& place, const BatchNormForwardArgs& args) {
  const at::Tensor x = place.reals(args.dtype, args.x, sizes_of(args));
  if (x.numel() == 0) return;
  const auto channels = [&](const void* data) { return place.reals(args.dtype, data, {args.channels}); };
  at::Tensor running_variance = channels(args.running_variance);
  // Of one value there is no variance to learn from; ATen would divide by 0.
  if (args.training && args.batch * args.plane == 1) running_variance = running_variance.clone();
  const at::Tensor running_mean = channels(args.running_mean);
  const auto [y, mean, inverse_std] =
      at::native_batch_norm(x, channels(args.weight), channels(args.bias), running_mean, running_variance,
                            args.training, args.momentum, args.epsilon);
  place.reals(args.dtype, args.y, sizes_of(args)).copy_(y);
  channels(args.mean).copy_(args.training ? mean : running_mean);
  channels(args.inverse_std).copy_(args.training ? inverse_std : at::rsqrt(running_variance.add(args.epsilon)));
}

void batch_norm_backward(const Place& place, const BatchNormBackwardArgs& args) {
  const at::Tensor x = place.reals(args.dtype, args.x, sizes_of(args));
  const auto channels = [&](const void* data) { return place.reals(args.dtype, data, {args.channels}); };
  const auto put = [](at::Tensor out, const at::Tensor& value, bool accumulate) { store(out, value, accumulate); };
  if (x.numel() == 0) {
    if (args.dweight && !args.accumulate_dweight) channels(args.dweight).zero_();
    if (args.dbias && !args.accumulate_dbias) channels(args.dbias).zero_();
    return;
  }
  const at::Tensor mean = channels(args.mean), inverse_std = channels(args.inverse_std);
  // Outside training ATen takes mean and variance, not what came of them.
  const at::Tensor variance = args.training ? at::Tensor() : inverse_std.pow(-2);
  const auto [dx, dweight, dbias] = at::native_batch_norm_backward(
      place.reals(args.dtype, args.dy, sizes_of(args)), x, channels(args.weight), args.training ? at::Tensor() : mean,
      variance, mean, inverse_std, args.training, 0, {args.dx != nullptr, true, true});
  if (args.dx) put(place.reals(args.dtype, args.dx, sizes_of(args)), dx, args.accumulate_dx);
  if (args.dweight) put(channels(args.dweight), dweight, args.accumulate_dweight);
  if (args.dbias) put(channels(args.dbias), dbias, args.accumulate_dbias);
}

void local_response_norm_forward(const Place& place, const LocalResponseNormForwardArgs& args) {
  const at::Tensor x = place.reals(args.dtype, args.x, sizes_of(args));
  if (x.numel() == 0) return;
  const at::Tensor scale =
      channel_means(at::mul(x, x), args.size / 2, (args.size - 1) / 2).mul_(args.alpha).add_(args.k);
  if (args.scale) place.reals(args.dtype, args.scale, sizes_of(args)).copy_(scale);
  place.reals(args.dtype, args.y, sizes_of(args)).copy_(at::mul(x, scale.pow(-args.beta)));
}

void local_response_norm_backward(const Place& place, const LocalResponseNormBackwardArgs& args) {
  const at::Tensor x = place.reals(args.dtype, args.x, sizes_of(args));
  if (x.numel() == 0) return;
  const at::Tensor dy = place.reals(args.dtype, args.dy, sizes_of(args));
  const at::Tensor scale = place.reals(args.dtype, args.scale, sizes_of(args));
  // The channels whose window holds j lie the other way round about it than those in j's window.
  const at::Tensor shares = at::mul(dy, x).mul_(scale.pow(-args.beta - 1));
  const at::Tensor means = channel_means(shares, (args.size - 1) / 2, args.size / 2);
  const at::Tensor dx = at::addcmul(at::mul(dy, scale.pow(-args.beta)), x, means, -2 * args.alpha * args.beta);
  store(place.reals(args.dtype, args.dx, sizes_of(args)), dx, args.accumulate);
}

}  // namespace cairn::torch
