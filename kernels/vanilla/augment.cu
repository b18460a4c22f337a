// Pictures that are changed at random on their way into a step. Not here: what is drawn, and how brightness, contrast
// and standardisation become two numbers a channel (kernels/augment.h).
//
// One block a picture. Its 256 threads cover the window in tiles of 8 x 32 pixels, so that the 32 lanes of a warp write
// 128 consecutive bytes, and read consecutive ones too, backwards where the picture is mirrored:
//
//      the picture, padded                 the window of the output
//      +----------------------+
//      |  pad                 |            warp 0  | lane 0 ... lane 31 | ...
//      |   +------+-----------+--+         warp 1  |
//      |   |      |  window   |  |  ---->    :
//      |   |      |           |  |         warp 7  |
//      +---+------+-----------+--+         and again from row 8 on
//
// Each thread makes the picture's draws itself: twenty rounds of Philox are cheaper than passing four numbers on.
// Without contrast and standardisation no thread needs another: 1 byte read and 4 written a value, limited by memory.
// With them the block first adds up the bytes and their squares, channel by channel. These are whole numbers: the sum
// is exact in whatever order threads come to it.
#include "kernels/augment.h"

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/reduce.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kBlock = 256;
constexpr int kWarps = kBlock / 32;
using Whole = unsigned long long;  // the type of 64 bits that lanes exchange

// Calls body(y, x) for this thread's pixels of the window.
template <class Body>
__device__ __forceinline__ void for_pixels(const AugmentImagesArgs& args, const Body& body) {
  for (int64_t y = threadIdx.x / 32; y < args.out_height; y += kWarps)
    for (int64_t x = threadIdx.x % 32; x < args.out_width; x += 32) body(y, x);
}

// Leaves every channel's sums in `sums`, shared by the block, which passes a barrier afterwards.
__device__ __forceinline__ void sum_window(const AugmentImagesArgs& args, const augment::Draw& draw,
                                           const uint8_t* image, augment::Sums* sums) {
  CAIRN_SHARED(Whole[32], partial_bytes);
  CAIRN_SHARED(Whole[32], partial_squares);
  for (int64_t c = 0; c < args.channels; ++c) {
    Whole bytes = 0, squares = 0;
    for_pixels(args, [&](int64_t y, int64_t x) {
      const int64_t from = augment::source(args, draw, c, y, x);
      if (from < 0) return;
      const unsigned byte = image[from];
      bytes += byte;
      squares += byte * byte;
    });
    bytes = block_sum(bytes, partial_bytes);
    squares = block_sum(squares, partial_squares);
    if (threadIdx.x == 0) sums[c] = {bytes, squares};
    __syncthreads();  // before the next channel's partial sums, and for who reads this one's
  }
}

// Dynamic shared memory: the sums of each channel, if kSums.
template <bool kSums>
__global__ void __launch_bounds__(kBlock) augment_images_kernel(const __grid_constant__ AugmentImagesArgs args) {
  const int64_t i = blockIdx.x, row = args.index ? args.index[i] : i;
  const augment::Draw draw = augment::draw(args, i);
  const uint8_t* image = args.images + row * args.channels * args.in_height * args.in_width;
  augment::Sums* sums = nullptr;
  if constexpr (kSums) {
    CAIRN_SHARED_DYNAMIC(augment::Sums, window_sums);
    sums = window_sums;
    sum_window(args, draw, image, sums);
  }
  for (int64_t c = 0; c < args.channels; ++c) {
    const augment::Affine affine = augment::affine(args, draw, sums, c);
    float* out = static_cast<float*>(args.out) + (i * args.channels + c) * args.out_height * args.out_width;
    for_pixels(args, [&](int64_t y, int64_t x) {
      const int64_t from = augment::source(args, draw, c, y, x);
      const float byte = from < 0 ? 0.0f : static_cast<float>(image[from]);
      out[y * args.out_width + x] = byte * affine.factor + affine.offset;
    });
  }
}

}  // namespace

void augment_images(Stream& stream, const AugmentImagesArgs& args) {
  require_f32(args.dtype, "augment_images");
  if (args.rows == 0 || args.channels * args.out_height * args.out_width == 0) return;
  if (!augment::needs_sums(args)) {
    simt::launch<augment_images_kernel<false>>(stream, grid_x(args.rows), kBlock, 0, args);
    return;
  }
  constexpr int64_t kMostChannels = 2048;  // 32 KB of sums
  if (args.channels > kMostChannels)
    throw std::invalid_argument("vanilla: augment_images with contrast or standardisation takes up to " +
                                std::to_string(kMostChannels) + " channels, not " + std::to_string(args.channels));
  simt::launch<augment_images_kernel<true>>(stream, grid_x(args.rows), kBlock,
                                            static_cast<size_t>(args.channels) * sizeof(augment::Sums), args);
}

}  // namespace cairn::CAIRN_VANILLA
