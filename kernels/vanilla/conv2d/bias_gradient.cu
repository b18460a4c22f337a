// The gradient of a convolution's bias: the sum of each channel over batch and places, alone or together with ReLU's
// mask. Not here: the sums of a matrix' columns (bias.cu).
#include <algorithm>

#include "kernels/vanilla/conv2d/patch.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kThreads = 128;

// Grid: channels x slices of the images. A block goes over its channel's planes in groups of four values, neighbouring
// threads on neighbouring groups; each thread adds up every kThreads-th, and the first adds their sums, in order. With
// kMask it first writes dz = y > 0 ? dy : 0 and adds that up: 12 bytes an element, 4 without. Limited by memory. `sums`
// (slices x channels) may be null with kMask.
template <bool kMask>
__global__ void __launch_bounds__(kThreads)
    channel_sums_kernel(int64_t batch, int64_t channels, int plane, int64_t images_per_slice, const float* dy,
                        const float* y, float* dz, Output sums) {
  CAIRN_SHARED(float[kThreads], partial);
  const int thread = static_cast<int>(threadIdx.x), groups = (plane + 3) / 4;
  const int64_t channel = blockIdx.x, begin = blockIdx.y * images_per_slice;
  const int64_t images = batch - begin < images_per_slice ? batch - begin : images_per_slice;
  Triple at = split(thread, 1, groups);  // (image, 0, group)
  const Triple step = split(kThreads, 1, groups);
  simt::Fragment<4> total;
  total.zero();
  for (; at.outer < images; advance(at, step, 1, groups)) {
    const int64_t i = ((begin + at.outer) * channels + channel) * plane + at.inner * 4;
    const int count = plane - at.inner * 4;
    simt::Fragment<4> value;
    value.load_first(dy + i, count);
    if (kMask) {
      simt::Fragment<4> kept;
      kept.load_first(y + i, count);
      value.keep_where_positive(kept);
      value.store_first(dz + i, count);
    }
    total.add(value);
  }
  if (sums.c == nullptr) return;  // the whole grid
  partial[thread] = total.get(0) + total.get(1) + total.get(2) + total.get(3);
  __syncthreads();
  if (thread > 0) return;
  float sum = partial[0];
  for (int t = 1; t < kThreads; ++t) sum += partial[t];
  store(sums, blockIdx.y, channel, sum);
}

template <bool kMask>
void channel_sums(Stream& stream, const Conv2dBackwardBiasArgs& args) {
  constexpr int64_t kPerSlice = 16384, kMaxSlices = 64;
  if (args.plane > int64_t{1} << 30) throw std::invalid_argument("vanilla: conv2d takes at most 2^30 places an image");
  const bool is_empty = args.batch == 0 || args.plane == 0;
  const int64_t batch = is_empty ? 0 : args.batch;
  const int64_t wanted =
      std::min({divide_up(args.batch * args.plane, kPerSlice), batch, kWorkspaceFloats / args.channels, kMaxSlices});
  const int64_t images_per_slice = divide_up(batch, std::max<int64_t>(wanted, 1));
  const int64_t slices = is_empty ? 1 : divide_up(batch, images_per_slice);
  const Output result{static_cast<float*>(args.dbias), args.channels, nullptr, false, args.accumulate != 0};
  const bool two_passes = args.dbias && slices > 1;
  auto* partial =
      two_passes ? static_cast<float*>(stream.workspace(static_cast<size_t>(slices * args.channels) * sizeof(float)))
                 : nullptr;
  const Output sums = two_passes ? Output{partial, args.channels, nullptr, false, false} : result;
  simt::launch<channel_sums_kernel<kMask>>(stream, dim3(grid_x(args.channels), static_cast<unsigned>(slices)), kThreads,
                                           0, batch, args.channels, is_empty ? 1 : static_cast<int>(args.plane),
                                           images_per_slice, static_cast<const float*>(args.dy),
                                           static_cast<const float*>(args.y), static_cast<float*>(args.dz), sums);
  if (two_passes) reduce_slices(stream, static_cast<int>(slices), 1, args.channels, partial, result);
}

}  // namespace

void conv2d_backward_bias(Stream& stream, const Conv2dBackwardBiasArgs& args) {
  require_f32(args.dtype, "conv2d_backward_bias");
  if (args.channels == 0) return;
  if (args.y)
    channel_sums<true>(stream, args);
  else
    channel_sums<false>(stream, args);
}

}  // namespace cairn::CAIRN_VANILLA
