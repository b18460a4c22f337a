// Convolution rung 2, shared-memory tile: neighbouring places look at nearly the same part of x, so a block of 16 x 16
// places reads that part once into shared memory.
//
//        16 * step + taps - step                  for each channel c:
//       +----------------------+                    load the part of x[n, c] that the block's places look at,
//       | +---+                |                    zeros where it lies outside; wait
//       | |tap|->   x[n, c]    |                    each thread: taps multiplications from there
//       | +---+                |                    wait, before it is overwritten
//       +----------------------+
//
// With 5 x 5 taps a block reads 400 values where rung 1 read 6400: 16 multiplications a float. Other filters' blocks
// read them again, which is what rung 4 on does better. Limited by shared memory: one read, and one of a weight that
// all threads share, for each multiplication.
//
// The filter gradient turns the roles round: thread = (one of up to 8 filters, a tap) of channel c; the block goes over
// its images, 16 x 16 places at a time, with the part of x and the filters' dy in shared memory. Each x is used by 8
// filters from there, each dy by all taps. Images are split over blocks where there are few weights.
#include <algorithm>
#include <string>

#include "kernels/vanilla/conv2d/patch.h"
#include "kernels/vanilla/gemm/split_k.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kSide = 16;
constexpr int kPlaces = kSide * kSide;
constexpr int kMaxThreads = 1024;  // taps * filters of a block of the filter gradient

// The part of a plane that kSide x kSide places look at.
struct Part {
  int height, width;
};
__host__ __device__ inline Part part_of(const Patches& x) {
  return {(kSide - 1) * x.step_h + x.taps_h, (kSide - 1) * x.step_w + x.taps_w};
}

// How the places of an image are cut into squares of kSide.
struct Squares {
  int down, across;
};
Squares squares_of(const Patches& x) {
  return {static_cast<int>(divide_up(x.rows, kSide)), static_cast<int>(divide_up(x.columns, kSide))};
}

// part[h][w] = x[n, c] from (h0, w0) on.
__device__ __forceinline__ void load_part(float* part, const Part& size, const Patches& x, int image, int channel,
                                          int h0, int w0, int thread, int threads) {
  const float* from = plane_of(x, image, channel);
  for (int i = thread; i < size.height * size.width; i += threads) {
    const int h = h0 + i / size.width, w = w0 + i % size.width;
    part[i] = within(h, x.height) && within(w, x.width) ? from[static_cast<int64_t>(h) * x.width + w] : 0.0f;
  }
}

// Block = (image, filter, square).
__global__ void __launch_bounds__(kPlaces) shared_tile_kernel(Convolution p, Squares squares) {
  CAIRN_SHARED_DYNAMIC(float, part);
  const Patches& x = p.patches;
  const Part size = part_of(x);
  const int squares_per_image = squares.down * squares.across;
  const int line = static_cast<int>(blockIdx.x) / squares_per_image, square = blockIdx.x % squares_per_image;
  const int image = line / p.filters, filter = line % p.filters;
  const int p0 = square / squares.across * kSide, q0 = square % squares.across * kSide;
  const int i = static_cast<int>(threadIdx.y), j = static_cast<int>(threadIdx.x);
  const int h0 = x.first_h + p0 * x.step_h, w0 = x.first_w + q0 * x.step_w;
  const float* weight = p.weight + static_cast<int64_t>(filter) * x.terms();
  float sum = 0.0f;
  for (int c = 0; c < x.channels; ++c, weight += x.taps_h * x.taps_w) {
    load_part(part, size, x, image, c, h0, w0, i * kSide + j, kPlaces);
    __syncthreads();
    const float* from = part + i * x.step_h * size.width + j * x.step_w;
    for (int r = 0; r < x.taps_h; ++r)
      for (int s = 0; s < x.taps_w; ++s) sum += from[r * size.width + s] * weight[r * x.taps_w + s];
    __syncthreads();
  }
  if (p0 + i < x.rows && q0 + j < x.columns) store(p.output, filter, {image, p0 + i, q0 + j}, sum);
}

// Block = (filters_per_block filters and a channel, a slice of the images).
__global__ void __launch_bounds__(kMaxThreads)
    shared_tile_filter_kernel(FilterGradient p, Squares squares, int filters_per_block, int images_per_slice,
                              int64_t slice_stride) {
  CAIRN_SHARED_DYNAMIC(float, dy_tile);  // [filter][place]
  float* part = dy_tile + filters_per_block * kPlaces;
  const Patches& x = p.b;
  const Part size = part_of(x);
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const int taps = x.taps_h * x.taps_w, own_filter = thread / taps, tap = thread % taps;
  const int first_filter = static_cast<int>(blockIdx.x) / x.channels * filters_per_block;
  const int channel = static_cast<int>(blockIdx.x) % x.channels;
  const int begin = static_cast<int>(blockIdx.y) * images_per_slice;
  const int end = x.batch - begin < images_per_slice ? x.batch : begin + images_per_slice;
  float total = 0.0f;
  for (int image = begin; image < end; ++image) {
    float sum = 0.0f;
    for (int square = 0; square < squares.down * squares.across; ++square) {
      const int p0 = square / squares.across * kSide, q0 = square % squares.across * kSide;
      __syncthreads();  // everyone is done with the last square
      load_part(part, size, x, image, channel, x.first_h + p0 * x.step_h, x.first_w + q0 * x.step_w, thread, threads);
      for (int e = thread; e < filters_per_block * kPlaces; e += threads) {
        const Triple place{image, p0 + e / kSide % kSide, q0 + e % kSide};
        const bool is_place = place.middle < x.rows && place.inner < x.columns;
        dy_tile[e] = is_place ? gradient(p, first_filter + e / kPlaces, place) : 0.0f;
      }
      __syncthreads();
      const float* from = part + tap / x.taps_w * size.width + tap % x.taps_w;
      const float* dy = dy_tile + own_filter * kPlaces;
      for (int i = 0; i < kSide; ++i)
        for (int j = 0; j < kSide; ++j) sum += dy[i * kSide + j] * from[i * x.step_h * size.width + j * x.step_w];
    }
    total += sum;
  }
  Output output = p.output;
  output.c += blockIdx.y * slice_stride;
  if (first_filter + own_filter < p.m) store(output, first_filter + own_filter, channel * taps + tap, total);
}

// The bytes of shared memory, within what every GPU gives a block without being asked.
size_t checked_bytes(const Patches& x, int64_t floats) {
  constexpr int64_t kMaxBytes = 48 * 1024;
  const Part part = part_of(x);
  const int64_t bytes = (floats + int64_t{part.height} * part.width) * static_cast<int64_t>(sizeof(float));
  if (bytes > kMaxBytes || x.taps_h * x.taps_w > kMaxThreads)
    throw std::invalid_argument("vanilla: conv2d rung 2 has no room in shared memory for kernel " +
                                std::to_string(x.taps_h) + " x " + std::to_string(x.taps_w) + " with stride " +
                                std::to_string(x.step_h) + " x " + std::to_string(x.step_w) + "; other rungs do");
  return static_cast<size_t>(bytes);
}

}  // namespace

void convolve_shared_tile(Stream& stream, const Convolution& problem) {
  const Squares squares = squares_of(problem.patches);
  const int64_t blocks = int64_t{problem.patches.batch} * problem.filters * squares.down * squares.across;
  simt::launch<shared_tile_kernel>(stream, grid_x(blocks), dim3(kSide, kSide), checked_bytes(problem.patches, 0),
                                   problem, squares);
}

void filter_gradient_shared_tile(Stream& stream, const FilterGradient& problem) {
  constexpr int kMostFilters = 8, kUsualThreads = 256, kMaxDepth = 4096;
  const Patches& x = problem.b;
  const int taps = x.taps_h * x.taps_w;
  const int filters_per_block = std::clamp(kUsualThreads / taps, 1, kMostFilters);
  const size_t bytes = checked_bytes(x, int64_t{filters_per_block} * kPlaces);
  const int64_t blocks = divide_up(problem.m, filters_per_block) * x.channels;
  const int64_t wanted = slices_of(blocks, problem.m, problem.n, problem.k, kMaxDepth);
  const int64_t images_per_slice = std::max<int64_t>(divide_up(x.batch, wanted), 1);
  const int64_t slices = std::max<int64_t>(divide_up(x.batch, images_per_slice), 1);
  const int64_t results = int64_t{problem.m} * problem.n;

  FilterGradient part = problem;
  if (slices > 1) {
    auto* partial = static_cast<float*>(stream.workspace(static_cast<size_t>(slices * results) * sizeof(float)));
    part.output = {partial, problem.n, nullptr, false, false};
  }
  simt::launch<shared_tile_filter_kernel>(stream, dim3(grid_x(blocks), static_cast<unsigned>(slices)),
                                          static_cast<unsigned>(taps * filters_per_block), bytes, part, squares_of(x),
                                          filters_per_block, static_cast<int>(images_per_slice), results);
  if (slices > 1) reduce_slices(stream, static_cast<int>(slices), problem.m, problem.n, part.output.c, problem.output);
}

}  // namespace cairn::CAIRN_VANILLA
