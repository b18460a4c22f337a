// Batch normalisation (over a channel's values in all images) and local response normalisation (over neighbouring
// channels), forward and backward. Not here: softmax (softmax.cu).
#include <algorithm>

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/reduce.h"

namespace cairn::CAIRN_VANILLA {
namespace {

__device__ __forceinline__ void store(float* out, float value, bool accumulate) {
  *out = accumulate ? *out + value : value;
}

// ---- batch normalisation -------------------------------------------------------------------------------------
//
// One block a channel. Its M = batch * plane values lie in pieces of `plane`, a stride of channels * plane apart:
//
//   image 0:  [ channel 0 | channel 1 | channel 2 ]   image 1:  [ channel 0 | channel 1 | channel 2 ]   ...
//                          ^^^^^^^^^^^ block 1 ...                           ^^^^^^^^^^^ ... and here
//
// The forward pass reads them three times: for the mean, for the variance, to normalise. (In one pass, as E[x^2] -
// E[x]^2, the variance would be a small difference of large numbers.) A channel of up to a few MB stays in the L2 cache
// between the passes, so that the memory sees about 4 bytes read and 4 written for each value. Networks with fewer
// channels than the GPU has multiprocessors leave some of those idle: the price of needing no second launch to add up
// what several blocks have summed.

// Walks over a channel's values: thread t visits values t, t + block, t + 2 block ... of the M. A value's place needs
// its number divided by `plane`; that is done once, and from then on the walk carries like an odometer: the block's
// step is `images` whole planes and `places` values more.
struct ChannelWalk {
  int64_t image, place;    // of the value at hand
  int64_t images, places;  // one step
  __device__ __forceinline__ explicit ChannelWalk(int64_t plane)
      : image(threadIdx.x / plane),
        place(threadIdx.x % plane),
        images(blockDim.x / plane),
        places(blockDim.x % plane) {}
  __device__ __forceinline__ void advance(int64_t plane) {
    image += images;
    place += places;
    if (place >= plane) {
      place -= plane;
      ++image;
    }
  }
};

// Calls body(element) for this thread's share of the block's channel.
template <class Body>
__device__ __forceinline__ void for_each_of_channel(int64_t batch, int64_t channels, int64_t plane, const Body& body) {
  for (ChannelWalk walk(plane); walk.image < batch; walk.advance(plane))
    body((walk.image * channels + blockIdx.x) * plane + walk.place);
}

// The block's sum, in every thread. `partial`: 33 values of shared memory. Sums may follow one another: all have read
// partial[32] when they come to the barrier in the next block_sum, and it is written after that.
__device__ __forceinline__ double sum_everywhere(double value, double* partial) {
  const double total = block_sum(value, partial);
  if (threadIdx.x == 0) partial[32] = total;
  __syncthreads();
  return partial[32];
}

constexpr unsigned kChannelBlock = 256;

__global__ void __launch_bounds__(kChannelBlock)
    batch_norm_forward_kernel(int64_t batch, int64_t channels, int64_t plane, const float* x, const float* weight,
                              const float* bias, float* running_mean, float* running_variance, float* mean_out,
                              float* inverse_std_out, float* y, double momentum, double epsilon, bool training) {
  CAIRN_SHARED(double[33], partial);
  const unsigned c = blockIdx.x;
  double mean = 0.0, variance = 0.0;
  if (training) {
    const double count = static_cast<double>(batch) * static_cast<double>(plane);
    double sum = 0.0;
    for_each_of_channel(batch, channels, plane, [&](int64_t i) { sum += static_cast<double>(x[i]); });
    mean = sum_everywhere(sum, partial) / count;
    double squares = 0.0;
    for_each_of_channel(batch, channels, plane, [&](int64_t i) {
      const double difference = static_cast<double>(x[i]) - mean;
      squares += difference * difference;
    });
    variance = sum_everywhere(squares, partial) / count;
    if (threadIdx.x == 0) {
      running_mean[c] = static_cast<float>((1.0 - momentum) * static_cast<double>(running_mean[c]) + momentum * mean);
      if (count > 1.0)
        running_variance[c] = static_cast<float>((1.0 - momentum) * static_cast<double>(running_variance[c]) +
                                                 momentum * variance * count / (count - 1.0));
    }
  } else {
    mean = static_cast<double>(running_mean[c]);
    variance = static_cast<double>(running_variance[c]);
  }
  const double inverse_std = 1.0 / sqrt(variance + epsilon);
  if (threadIdx.x == 0) {
    mean_out[c] = static_cast<float>(mean);
    inverse_std_out[c] = static_cast<float>(inverse_std);
  }
  const auto center = static_cast<float>(mean);
  const auto factor = static_cast<float>(inverse_std * static_cast<double>(weight[c]));
  const float shift = bias[c];
  for_each_of_channel(batch, channels, plane, [&](int64_t i) { y[i] = (x[i] - center) * factor + shift; });
}

// Reads x and dy twice: for the two sums, and for dx, which needs them. 16 bytes read (8 of them from L2 if the channel
// fits there) and 4 written for each value.
__global__ void __launch_bounds__(kChannelBlock)
    batch_norm_backward_kernel(int64_t batch, int64_t channels, int64_t plane, const float* x, const float* dy,
                               const float* weight, const float* mean, const float* inverse_std, float* dx,
                               float* dweight, float* dbias, bool training, bool accumulate_dx, bool accumulate_dweight,
                               bool accumulate_dbias) {
  CAIRN_SHARED(double[33], partial);
  const unsigned c = blockIdx.x;
  const float center = mean[c], scale = inverse_std[c];
  double sum = 0.0, dot = 0.0;
  for_each_of_channel(batch, channels, plane, [&](int64_t i) {
    sum += static_cast<double>(dy[i]);
    dot += static_cast<double>(dy[i]) * static_cast<double>((x[i] - center) * scale);
  });
  sum = sum_everywhere(sum, partial);
  dot = sum_everywhere(dot, partial);
  if (threadIdx.x == 0) {
    if (dbias != nullptr) store(dbias + c, static_cast<float>(sum), accumulate_dbias);
    if (dweight != nullptr) store(dweight + c, static_cast<float>(dot), accumulate_dweight);
  }
  if (dx == nullptr) return;
  const double count = static_cast<double>(batch) * static_cast<double>(plane);
  const float mean_dy = training ? static_cast<float>(sum / count) : 0.0f;
  const float mean_dot = training ? static_cast<float>(dot / count) : 0.0f;
  const float factor = weight[c] * scale;
  for_each_of_channel(batch, channels, plane, [&](int64_t i) {
    const float xhat = (x[i] - center) * scale;
    store(dx + i, factor * (dy[i] - mean_dy - xhat * mean_dot), accumulate_dx);
  });
}

// ---- local response normalisation ----------------------------------------------------------------------------
//
// One thread for each place (a pixel of an image), which walks along its channels. Neighbouring threads have
// neighbouring pixels, so that a warp reads 128 consecutive bytes at every step. A window of 5 channels is read 5
// times, 4 of them from the L1 cache: 4 bytes read and 8 written for each value, with a power (some 20 FLOPs) and 2 *
// size FLOPs besides; limited by memory.

// The first element of this thread's place, and whether there is one.
struct Place {
  int64_t first;
  bool exists;
  __device__ __forceinline__ Place(int64_t batch, int64_t channels, int64_t plane) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int64_t image = i / plane;
    exists = image < batch;
    first = image * channels * plane + i % plane;
  }
};

// The window of channel c: [c - below, c + above].
struct Reach {
  int64_t below, above;
};

__global__ void local_response_norm_forward_kernel(int64_t batch, int64_t channels, int64_t plane, Reach reach,
                                                   const float* x, float* y, float* scale, float factor, float beta,
                                                   float k) {
  const Place place(batch, channels, plane);
  if (!place.exists) return;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t begin = c < reach.below ? 0 : c - reach.below;
    const int64_t end = c + reach.above < channels ? c + reach.above + 1 : channels;
    float sum = 0.0f;
    for (int64_t j = begin; j < end; ++j) {
      const float value = x[place.first + j * plane];
      sum += value * value;
    }
    const int64_t i = place.first + c * plane;
    const float s = k + factor * sum;
    if (scale) scale[i] = s;
    y[i] = x[i] * powf(s, -beta);
  }
}

// dx of channel j needs dy x scale^(-beta-1) of all channels whose windows hold j: from j - above to j + below. Each
// thread keeps the last below + above + 1 of these products in a ring of its own in shared memory, so that each power
// is computed once, and goes on as follows, with channel c one `below` ahead of j:
//
//   ring[c % length] = product of c (0 from the last channel on);   dx[j = c - below] = ... - factor * x[j] * sum(ring)
//
// ring[slot][thread]: a warp's 32 lanes touch the 32 banks, and no thread another's slots: no barrier is needed.
__global__ void local_response_norm_backward_kernel(int64_t batch, int64_t channels, int64_t plane, Reach reach,
                                                    const float* x, const float* scale, const float* dy, float* dx,
                                                    float factor, float beta, bool accumulate) {
  CAIRN_SHARED_DYNAMIC(float, ring);
  const Place place(batch, channels, plane);
  if (!place.exists) return;
  const auto length = static_cast<int>(reach.below + reach.above + 1);
  for (int slot = 0; slot < length; ++slot) ring[slot * blockDim.x + threadIdx.x] = 0.0f;
  int slot = 0;
  for (int64_t c = 0; c < channels + reach.below; ++c) {
    float product = 0.0f;
    if (c < channels) {
      const int64_t i = place.first + c * plane;
      product = dy[i] * x[i] * powf(scale[i], -beta - 1.0f);
    }
    ring[slot * blockDim.x + threadIdx.x] = product;
    slot = slot + 1 < length ? slot + 1 : 0;
    if (c < reach.below) continue;
    float sum = 0.0f;
    for (int s = 0; s < length; ++s) sum += ring[s * blockDim.x + threadIdx.x];
    const int64_t j = place.first + (c - reach.below) * plane;
    store(dx + j, dy[j] * powf(scale[j], -beta) - factor * x[j] * sum, accumulate);
  }
}

template <class Args>
Reach reach_of(const Args& args) {
  return {std::min(args.size / 2, args.channels), std::min((args.size - 1) / 2, args.channels)};
}

template <class Args>
bool is_empty(const Args& args) {
  return args.batch == 0 || args.channels == 0 || args.plane == 0;
}

constexpr int64_t kPlaceBlock = 128;

template <class Args>
unsigned place_grid(const Args& args, int64_t block) {
  return grid_x(divide_up(args.batch * args.plane, block));
}

}  // namespace

void batch_norm_forward(Stream& stream, const BatchNormForwardArgs& args) {
  require_f32(args.dtype, "batch_norm_forward");
  if (is_empty(args)) return;
  simt::launch<batch_norm_forward_kernel>(
      stream, grid_x(args.channels), kChannelBlock, 0, args.batch, args.channels, args.plane,
      static_cast<const float*>(args.x), static_cast<const float*>(args.weight), static_cast<const float*>(args.bias),
      static_cast<float*>(args.running_mean), static_cast<float*>(args.running_variance),
      static_cast<float*>(args.mean), static_cast<float*>(args.inverse_std), static_cast<float*>(args.y), args.momentum,
      args.epsilon, args.training != 0);
}

void batch_norm_backward(Stream& stream, const BatchNormBackwardArgs& args) {
  require_f32(args.dtype, "batch_norm_backward");
  if (args.channels == 0) return;
  // Without values the sums are still 0: a plane of 1 keeps the walk's division defined.
  simt::launch<batch_norm_backward_kernel>(
      stream, grid_x(args.channels), kChannelBlock, 0, args.plane == 0 ? 0 : args.batch, args.channels,
      std::max<int64_t>(args.plane, 1), static_cast<const float*>(args.x), static_cast<const float*>(args.dy),
      static_cast<const float*>(args.weight), static_cast<const float*>(args.mean),
      static_cast<const float*>(args.inverse_std), static_cast<float*>(args.dx), static_cast<float*>(args.dweight),
      static_cast<float*>(args.dbias), args.training != 0, args.accumulate_dx != 0, args.accumulate_dweight != 0,
      args.accumulate_dbias != 0);
}

void local_response_norm_forward(Stream& stream, const LocalResponseNormForwardArgs& args) {
  require_f32(args.dtype, "local_response_norm_forward");
  if (is_empty(args)) return;
  simt::launch<local_response_norm_forward_kernel>(
      stream, place_grid(args, kPlaceBlock), kPlaceBlock, 0, args.batch, args.channels, args.plane, reach_of(args),
      static_cast<const float*>(args.x), static_cast<float*>(args.y), static_cast<float*>(args.scale),
      static_cast<float>(args.alpha / static_cast<double>(args.size)), static_cast<float>(args.beta),
      static_cast<float>(args.k));
}

void local_response_norm_backward(Stream& stream, const LocalResponseNormBackwardArgs& args) {
  require_f32(args.dtype, "local_response_norm_backward");
  if (is_empty(args)) return;
  const Reach reach = reach_of(args);
  const auto ring_bytes = [&](int64_t block) { return (reach.below + reach.above + 1) * block * 4; };
  // As many threads as have their rings in the 48 KB that every GPU gives a block without being asked.
  int64_t block = kPlaceBlock;
  while (block > 32 && ring_bytes(block) > 48 * 1024) block /= 2;
  if (ring_bytes(block) > 48 * 1024)
    throw std::invalid_argument("vanilla: local_response_norm_backward takes windows of up to 384 channels");
  simt::launch<local_response_norm_backward_kernel>(
      stream, place_grid(args, block), static_cast<unsigned>(block), static_cast<size_t>(ring_bytes(block)), args.batch,
      args.channels, args.plane, reach, static_cast<const float*>(args.x), static_cast<const float*>(args.scale),
      static_cast<const float*>(args.dy), static_cast<float*>(args.dx),
      static_cast<float>(2.0 * args.alpha * args.beta / static_cast<double>(args.size)), static_cast<float>(args.beta),
      args.accumulate != 0);
}

}  // namespace cairn::CAIRN_VANILLA
