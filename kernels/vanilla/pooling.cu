// Max and average pools, forward and backward. Not here: convolution, which shares only the way windows are laid.
//
// One thread a result: a value of y in the forward kernels, a value of dx in the backward ones. The block has the shape
// of the plane, so that nobody divides an index to find its row and column:
//
//   threadIdx = (column, row, plane)         12 x 12 values: blocks of 12 x 12 x 1 threads, a plane each
//   blockIdx  = (planes, rows, columns)      4 x 4 values:   blocks of 4 x 4 x 16 threads, 16 planes each
//
// Threads are numbered columns first, then rows, then planes: just as the values lie in memory. So a warp writes 32
// consecutive floats, over the ends of rows and planes, and what it reads are the rows of x that belong to them.
//
// Max pools whose windows of 2 x 2 stand side by side and cover x have kernels of their own, in which a thread has a
// few neighbouring windows of a row: its loads and stores are wider, and a window's gradient is looked at once, not by
// each of its four values.
//
// All are limited by memory. A pool of 2 x 2 with stride 2 reads 4 values (16 bytes) for the 4 bytes of y and 4 of
// indices that it writes, with 3 comparisons. Where windows overlap, the values of x that several threads read come
// from the L1 cache.
#include <algorithm>

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kBlock = 256;

struct PlaneLaunch {
  dim3 grid, block;
};

// Covers `planes` planes of height x width values.
PlaneLaunch launch_over(int64_t planes, int64_t height, int64_t width) {
  constexpr int64_t kWidest = 64, kMostZ = 64;
  const int64_t x = divide_up(width, divide_up(width, kWidest));  // 65 columns: 2 blocks of 33, not 64 and 1
  const int64_t y = std::min(height, kBlock / x);
  const int64_t z = std::min({planes, kBlock / (x * y), kMostZ});
  const auto blocks = [](int64_t count, int64_t size) {
    if (divide_up(count, size) > 65535)
      throw std::invalid_argument("vanilla: a pool's planes are too long or too wide");
    return static_cast<unsigned>(divide_up(count, size));
  };
  return {dim3(grid_x(divide_up(planes, z)), blocks(height, y), blocks(width, x)),
          dim3(static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z))};
}

// The sizes of a pool as kernels get them: int, because indices are.
struct Pool {
  int64_t planes;
  int in_height, in_width, out_height, out_width;
  int window_height, window_width, stride_height, stride_width, pad_height, pad_width;
};

Pool pool_of(const PoolShape& s) {
  static constexpr int64_t kMost = int64_t{1} << 29;  // sums of three sizes are still ints
  if (s.in_height > kMost / std::max<int64_t>(s.in_width, 1) ||
      s.out_height > kMost / std::max<int64_t>(s.out_width, 1))
    throw std::invalid_argument("vanilla: a pool takes planes of up to 2^29 values");
  const auto to_int = [](int64_t value) { return static_cast<int>(std::min(value, kMost)); };
  return {s.planes,
          to_int(s.in_height),
          to_int(s.in_width),
          to_int(s.out_height),
          to_int(s.out_width),
          to_int(s.window_height),
          to_int(s.window_width),
          to_int(s.stride_height),
          to_int(s.stride_width),
          to_int(s.pad_height),
          to_int(s.pad_width)};
}

// Whether windows are 2 x 2 side by side, whole and without padding: the kernels' form kPairs, in which the compiler
// knows all of that.
bool is_pairs(const PoolShape& s) {
  return s.window_height == 2 && s.window_width == 2 && s.stride_height == 2 && s.stride_width == 2 &&
         s.pad_height == 0 && s.pad_width == 0 && 2 * s.out_height <= s.in_height && 2 * s.out_width <= s.in_width;
}

// A part of one dimension: [begin, end).
struct Range {
  int begin, end;
};

// Along one dimension, what window p covers of the `in` values: stride * p - pad + [0, window), as far as they exist.
__device__ __forceinline__ Range window_of(int p, int window, int stride, int pad, int in) {
  const int begin = p * stride - pad, end = begin + window;
  return {begin < 0 ? 0 : begin, end < in ? end : in};
}

// The other way round: which of the `out` windows cover value h. stride * p - pad <= h < stride * p - pad + window, so
// p runs from the first above (h + pad - window) / stride to h + pad over stride, rounded down.
__device__ __forceinline__ Range windows_over(int h, int window, int stride, int pad, int out) {
  const int above = h + pad - window;  // the last value of the window that is just not reached
  const int begin = above < 0 ? 0 : above / stride + 1, end = (h + pad) / stride + 1;
  return {begin, end < out ? end : out};
}

// Both for a pool: the rows and columns of x that a window covers, the rows and columns of y whose windows cover a
// value.
template <bool kPairs>
__device__ __forceinline__ Range rows_of(const Pool& pool, int p) {
  if (kPairs) return {2 * p, 2 * p + 2};
  return window_of(p, pool.window_height, pool.stride_height, pool.pad_height, pool.in_height);
}
template <bool kPairs>
__device__ __forceinline__ Range columns_of(const Pool& pool, int q) {
  if (kPairs) return {2 * q, 2 * q + 2};
  return window_of(q, pool.window_width, pool.stride_width, pool.pad_width, pool.in_width);
}
template <bool kPairs>
__device__ __forceinline__ Range windows_over_row(const Pool& pool, int h) {
  if (kPairs) return {h / 2, h / 2 + (h / 2 < pool.out_height)};
  return windows_over(h, pool.window_height, pool.stride_height, pool.pad_height, pool.out_height);
}
template <bool kPairs>
__device__ __forceinline__ Range windows_over_column(const Pool& pool, int w) {
  if (kPairs) return {w / 2, w / 2 + (w / 2 < pool.out_width)};
  return windows_over(w, pool.window_width, pool.stride_width, pool.pad_width, pool.out_width);
}

// The value of a plane that a thread computes.
struct Place {
  int64_t plane;
  int row, column;
  __device__ __forceinline__ Place()
      : plane(static_cast<int64_t>(blockIdx.x) * blockDim.z + threadIdx.z),
        row(static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y)),
        column(static_cast<int>(blockIdx.z * blockDim.x + threadIdx.x)) {}
  __device__ __forceinline__ bool is_in(int64_t planes, int height, int width) const {
    return plane < planes && row < height && column < width;
  }
};

template <bool kPairs>
__global__ void __launch_bounds__(kBlock)
    max_pool_forward_kernel(Pool pool, const float* x, float* y, int32_t* indices, bool relu) {
  const Place at;
  if (!at.is_in(pool.planes, pool.out_height, pool.out_width)) return;
  const Range rows = rows_of<kPairs>(pool, at.row), columns = columns_of<kPairs>(pool, at.column);
  x += at.plane * pool.in_height * pool.in_width;
  int best = rows.begin * pool.in_width + columns.begin;
  float maximum = x[best];
  CAIRN_UNROLL
  for (int h = rows.begin; h < rows.end; ++h) {
    CAIRN_UNROLL
    for (int w = columns.begin; w < columns.end; ++w) {
      const int i = h * pool.in_width + w;
      const float value = x[i];
      // "Not at most" is true of nan too, and nothing takes the place of a nan: the first one stays. Selected, not
      // branched to: the lanes of a warp would disagree, and a CPU could not foresee it.
      const bool wins = !(value <= maximum) & (maximum == maximum);
      maximum = wins ? value : maximum;
      best = wins ? i : best;
    }
  }
  const int64_t i = (at.plane * pool.out_height + at.row) * pool.out_width + at.column;
  y[i] = relu && maximum < 0.0f ? 0.0f : maximum;
  if (indices != nullptr) indices[i] = best;
}

// takes ? value : other, without a branch, which the host's compilers would make of it and no CPU could foresee.
__device__ __forceinline__ int select(bool takes, int value, int other) {
  const int mask = -static_cast<int>(takes);
  return (value & mask) | (other & ~mask);
}
__device__ __forceinline__ float select(bool takes, float value, float other) {
  return __int_as_float(select(takes, __float_as_int(value), __float_as_int(other)));
}

// kWindows windows of a row for each thread; Place's columns count threads.
template <int kWindows>
__global__ void __launch_bounds__(kBlock)
    max_pool_pairs_forward_kernel(Pool pool, const float* x, float* y, int32_t* indices, bool relu) {
  const Place at;
  if (!at.is_in(pool.planes, pool.out_height, pool.out_width / kWindows)) return;
  const int corner = 2 * (at.row * pool.in_width + kWindows * at.column);
  const float* above = x + at.plane * pool.in_height * pool.in_width + corner;
  const float* below = above + pool.in_width;
  float maximum[kWindows];
  int best[kWindows];
  CAIRN_UNROLL
  for (int i = 0; i < kWindows; ++i) {
    maximum[i] = above[2 * i];
    best[i] = corner + 2 * i;
  }
  const auto consider = [&](const float* values, int offset) {
    CAIRN_UNROLL
    for (int i = 0; i < kWindows; ++i) {  // as in max_pool_forward_kernel
      const float value = values[2 * i];
      const bool wins = !(value <= maximum[i]) & (maximum[i] == maximum[i]);
      maximum[i] = select(wins, value, maximum[i]);
      best[i] = select(wins, corner + offset + 2 * i, best[i]);
    }
  };
  consider(above + 1, 1);
  consider(below, pool.in_width);
  consider(below + 1, pool.in_width + 1);
  const int64_t out = (at.plane * pool.out_height + at.row) * pool.out_width + kWindows * at.column;
  CAIRN_UNROLL
  for (int i = 0; i < kWindows; ++i) y[out + i] = select(relu & (maximum[i] < 0.0f), 0.0f, maximum[i]);
  if (indices == nullptr) return;
  CAIRN_UNROLL
  for (int i = 0; i < kWindows; ++i) indices[out + i] = best[i];
}

template <int kWindows>
__global__ void __launch_bounds__(kBlock)
    max_pool_pairs_backward_kernel(Pool pool, const float* dy, const int32_t* indices, const float* y, float* dx,
                                   bool accumulate) {
  const Place at;
  if (!at.is_in(pool.planes, pool.out_height, pool.out_width / kWindows)) return;
  const int64_t out = (at.plane * pool.out_height + at.row) * pool.out_width + kWindows * at.column;
  const int corner = 2 * (at.row * pool.in_width + kWindows * at.column);
  float gradients[kWindows];
  int places[kWindows];
  CAIRN_UNROLL
  for (int i = 0; i < kWindows; ++i) {
    gradients[i] = select(y == nullptr || y[out + i] > 0.0f, dy[out + i], 0.0f);
    places[i] = indices[out + i] - corner - 2 * i;
  }
  dx += at.plane * pool.in_height * pool.in_width + corner;
  const auto put = [&](float* to, int offset) {
    CAIRN_UNROLL
    for (int i = 0; i < kWindows; ++i) {
      const float left = select(places[i] == offset, gradients[i], 0.0f);
      const float right = select(places[i] == offset + 1, gradients[i], 0.0f);
      to[2 * i] = accumulate ? to[2 * i] + left : left;
      to[2 * i + 1] = accumulate ? to[2 * i + 1] + right : right;
    }
  };
  put(dx, 0);
  put(dx + pool.in_width, pool.in_width);
}

// Calls body.operator()<kWindows>() with as many windows a thread as divide a row; false unless windows of 2 x 2 cover
// x.
template <class Body>
bool with_pairs(const PoolShape& s, const Body& body) {
  if (!is_pairs(s) || 2 * s.out_height != s.in_height || 2 * s.out_width != s.in_width) return false;
  if (s.out_width % 4 == 0)
    body.template operator()<4>();
  else if (s.out_width % 2 == 0)
    body.template operator()<2>();
  else
    body.template operator()<1>();
  return true;
}

// Each value of dx looks at the windows that cover it and takes dy from those whose maximum it was. That reads some
// indices several times, but all dx are written once and by one thread each: the other way round, from dy to the dx
// that indices name, overlapping windows would need atomic additions, whose order differs from run to run. 4 bytes
// written; for 2 x 2 windows 12 / 4 bytes read (dy, indices and y, each by the 4 threads of a window).
template <bool kPairs>
__global__ void __launch_bounds__(kBlock) max_pool_backward_kernel(Pool pool, const float* dy, const int32_t* indices,
                                                                   const float* y, float* dx, bool accumulate) {
  const Place at;
  if (!at.is_in(pool.planes, pool.in_height, pool.in_width)) return;
  const int j = at.row * pool.in_width + at.column;
  const Range rows = windows_over_row<kPairs>(pool, at.row), columns = windows_over_column<kPairs>(pool, at.column);
  const int64_t out = at.plane * pool.out_height * pool.out_width;
  float sum = 0.0f;
  for (int p = rows.begin; p < rows.end; ++p)
    for (int q = columns.begin; q < columns.end; ++q) {
      const int64_t i = out + p * pool.out_width + q;
      const bool takes = (indices[i] == j) & (y == nullptr || y[i] > 0.0f);
      sum += takes ? dy[i] : 0.0f;
    }
  dx += at.plane * pool.in_height * pool.in_width;
  dx[j] = accumulate ? dx[j] + sum : sum;
}

// What sums over windows are divided by: with count_padding a window's size as far as it lies within x and its padding,
// otherwise as far as it lies within x. For most pools that is the same for all windows.
struct Divisor {
  float of_all;  // 0: to be found for each window
  bool count_padding;
};

Divisor divisor_for(const PoolShape& s, int32_t count_padding) {
  const auto is_whole = [&](int64_t in, int64_t out, int64_t window, int64_t stride, int64_t pad) {
    return (pad == 0 || count_padding) && (out - 1) * stride + window <= in + 2 * pad;
  };
  const bool whole = is_whole(s.in_height, s.out_height, s.window_height, s.stride_height, s.pad_height) &&
                     is_whole(s.in_width, s.out_width, s.window_width, s.stride_width, s.pad_width);
  const float size = static_cast<float>(s.window_height) * static_cast<float>(s.window_width);
  return {whole ? size : 0.0f, count_padding != 0};
}

__device__ __forceinline__ float divisor_of(const Pool& pool, int p, int q, Divisor divisor) {
  if (divisor.of_all > 0.0f) return divisor.of_all;
  Range rows = rows_of<false>(pool, p), columns = columns_of<false>(pool, q);
  if (divisor.count_padding) {  // as if the padding were part of x
    rows = window_of(p, pool.window_height, pool.stride_height, 0, pool.in_height + 2 * pool.pad_height);
    columns = window_of(q, pool.window_width, pool.stride_width, 0, pool.in_width + 2 * pool.pad_width);
  }
  return static_cast<float>(rows.end - rows.begin) * static_cast<float>(columns.end - columns.begin);
}

template <bool kPairs>
__global__ void __launch_bounds__(kBlock)
    average_pool_forward_kernel(Pool pool, const float* x, float* y, Divisor divisor) {
  const Place at;
  if (!at.is_in(pool.planes, pool.out_height, pool.out_width)) return;
  const Range rows = rows_of<kPairs>(pool, at.row), columns = columns_of<kPairs>(pool, at.column);
  x += at.plane * pool.in_height * pool.in_width;
  float sum = 0.0f;
  CAIRN_UNROLL
  for (int h = rows.begin; h < rows.end; ++h) {
    CAIRN_UNROLL
    for (int w = columns.begin; w < columns.end; ++w) sum += x[h * pool.in_width + w];
  }
  y[(at.plane * pool.out_height + at.row) * pool.out_width + at.column] =
      sum / divisor_of(pool, at.row, at.column, divisor);
}

template <bool kPairs>
__global__ void __launch_bounds__(kBlock)
    average_pool_backward_kernel(Pool pool, const float* dy, float* dx, Divisor divisor, bool accumulate) {
  const Place at;
  if (!at.is_in(pool.planes, pool.in_height, pool.in_width)) return;
  const Range rows = windows_over_row<kPairs>(pool, at.row), columns = windows_over_column<kPairs>(pool, at.column);
  dy += at.plane * pool.out_height * pool.out_width;
  float sum = 0.0f;
  for (int p = rows.begin; p < rows.end; ++p)
    for (int q = columns.begin; q < columns.end; ++q)
      sum += dy[p * pool.out_width + q] / divisor_of(pool, p, q, divisor);
  dx += (at.plane * pool.in_height + at.row) * pool.in_width + at.column;
  *dx = accumulate ? *dx + sum : sum;
}

bool has_outputs(const PoolShape& s) {
  return s.planes > 0 && s.out_height > 0 && s.out_width > 0;
}
bool has_inputs(const PoolShape& s) {
  return s.planes > 0 && s.in_height > 0 && s.in_width > 0;
}

}  // namespace

void max_pool_forward(Stream& stream, const MaxPoolForwardArgs& args) {
  require_f32(args.dtype, "max_pool_forward");
  const PoolShape& s = args.shape;
  if (!has_outputs(s)) return;
  const auto pairs = [&]<int kWindows>() {
    const PlaneLaunch over = launch_over(s.planes, s.out_height, s.out_width / kWindows);
    simt::launch<max_pool_pairs_forward_kernel<kWindows>>(stream, over.grid, over.block, 0, pool_of(s),
                                                          static_cast<const float*>(args.x),
                                                          static_cast<float*>(args.y), args.indices, args.relu != 0);
  };
  if (with_pairs(s, pairs)) return;
  const auto launch = [&]<bool kPairs>() {
    const PlaneLaunch over = launch_over(s.planes, s.out_height, s.out_width);
    simt::launch<max_pool_forward_kernel<kPairs>>(stream, over.grid, over.block, 0, pool_of(s),
                                                  static_cast<const float*>(args.x), static_cast<float*>(args.y),
                                                  args.indices, args.relu != 0);
  };
  is_pairs(s) ? launch.operator()<true>() : launch.operator()<false>();
}

void max_pool_backward(Stream& stream, const MaxPoolBackwardArgs& args) {
  require_f32(args.dtype, "max_pool_backward");
  const PoolShape& s = args.shape;
  if (!has_inputs(s)) return;
  const auto pairs = [&]<int kWindows>() {
    const PlaneLaunch over = launch_over(s.planes, s.out_height, s.out_width / kWindows);
    simt::launch<max_pool_pairs_backward_kernel<kWindows>>(
        stream, over.grid, over.block, 0, pool_of(s), static_cast<const float*>(args.dy), args.indices,
        static_cast<const float*>(args.y), static_cast<float*>(args.dx), args.accumulate != 0);
  };
  if (with_pairs(s, pairs)) return;
  const auto launch = [&]<bool kPairs>() {
    const PlaneLaunch over = launch_over(s.planes, s.in_height, s.in_width);
    simt::launch<max_pool_backward_kernel<kPairs>>(
        stream, over.grid, over.block, 0, pool_of(s), static_cast<const float*>(args.dy), args.indices,
        static_cast<const float*>(args.y), static_cast<float*>(args.dx), args.accumulate != 0);
  };
  is_pairs(s) ? launch.operator()<true>() : launch.operator()<false>();
}

void average_pool_forward(Stream& stream, const AveragePoolForwardArgs& args) {
  require_f32(args.dtype, "average_pool_forward");
  const PoolShape& s = args.shape;
  if (!has_outputs(s)) return;
  const auto launch = [&]<bool kPairs>() {
    const PlaneLaunch over = launch_over(s.planes, s.out_height, s.out_width);
    simt::launch<average_pool_forward_kernel<kPairs>>(stream, over.grid, over.block, 0, pool_of(s),
                                                      static_cast<const float*>(args.x), static_cast<float*>(args.y),
                                                      divisor_for(s, args.count_padding));
  };
  is_pairs(s) ? launch.operator()<true>() : launch.operator()<false>();
}

void average_pool_backward(Stream& stream, const AveragePoolBackwardArgs& args) {
  require_f32(args.dtype, "average_pool_backward");
  const PoolShape& s = args.shape;
  if (!has_inputs(s)) return;
  const auto launch = [&]<bool kPairs>() {
    const PlaneLaunch over = launch_over(s.planes, s.in_height, s.in_width);
    simt::launch<average_pool_backward_kernel<kPairs>>(stream, over.grid, over.block, 0, pool_of(s),
                                                       static_cast<const float*>(args.dy), static_cast<float*>(args.dx),
                                                       divisor_for(s, args.count_padding), args.accumulate != 0);
  };
  is_pairs(s) ? launch.operator()<true>() : launch.operator()<false>();
}

}  // namespace cairn::CAIRN_VANILLA
