// Max and average pools, forward and backward, threaded over planes; forward, kLanes planes ride in a vector's lanes.
// Not here: windows of 2 x 2 side by side (pool_pairs.h).
#include <algorithm>

#include "kernels/simd/pool_pairs.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/row_blocks.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

// The part of one window that lies within x: rows [top, bottom), columns [left, right).
struct Window {
  int64_t top, bottom, left, right;
  Window(const PoolShape& s, int64_t p, int64_t q) {
    const int64_t row = p * s.stride_height - s.pad_height, column = q * s.stride_width - s.pad_width;
    top = std::max<int64_t>(row, 0);
    bottom = std::min(row + s.window_height, s.in_height);
    left = std::max<int64_t>(column, 0);
    right = std::min(column + s.window_width, s.in_width);
  }
};

// What the sum over window p, q is divided by: with count_padding the window's size as far as it lies within x and its
// padding, otherwise as far as it lies within x.
float divisor_of(const PoolShape& s, int64_t p, int64_t q, const Window& window, int32_t count_padding) {
  if (!count_padding) return static_cast<float>((window.bottom - window.top) * (window.right - window.left));
  const int64_t rows = std::min(s.window_height, s.in_height + 2 * s.pad_height - p * s.stride_height);
  const int64_t columns = std::min(s.window_width, s.in_width + 2 * s.pad_width - q * s.stride_width);
  return static_cast<float>(rows * columns);
}

int64_t in_size(const PoolShape& s) {
  return s.in_height * s.in_width;
}
int64_t out_size(const PoolShape& s) {
  return s.out_height * s.out_width;
}

// body(plane) for every plane, in parallel.
template <class Body>
void for_planes(Stream& stream, const PoolShape& s, const Body& body) {
  const int64_t elements = std::max<int64_t>(in_size(s) + out_size(s), 1);
  stream.pool.parallel_for(s.planes, ceil_div(kGrain, elements), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) body(plane);
  });
}

// Rows of kLanes planes that ride in the lanes of a vector (row_blocks.h), as many as stay in a cache: at most so many
// values of each plane, and those of one row of y at least.
constexpr int64_t kBandValues = 4096;

int64_t rows_of_a_band(const PoolShape& s) {
  const int64_t rows_of_x = kBandValues / std::max<int64_t>(s.in_width, 1) - s.window_height;
  return std::clamp<int64_t>(rows_of_x / s.stride_height + 1, 1, s.out_height);
}

// The values of kLanes planes that one window may look at.
struct Values {
  const float* block;
  int64_t top, width;  // the first row that the block holds
  Vector operator()(int64_t row, int64_t column) const { return load(block + ((row - top) * width + column) * kLanes); }
};

// window_of(values, window, p, q, y, place) for every window of every plane: stores kLanes results to y, and as many
// places where they are wanted.
template <class Body>
void for_windows(Stream& stream, const PoolShape& s, const float* x, float* y, int32_t* places, const Body& window_of) {
  if (s.planes == 0 || out_size(s) == 0) return;
  const int64_t band = rows_of_a_band(s), results = band * s.out_width;
  const int64_t rows_of_x = std::min((band - 1) * s.stride_height + s.window_height, s.in_height);
  const int64_t values = rows_of_x * s.in_width;
  for_row_blocks(stream, s.planes, values + 2 * results, 1, [&](float* block, int64_t plane) {
    float *y_block = block + values * kLanes, *place_block = y_block + results * kLanes;
    for (int64_t first = 0; first < s.out_height; first += band) {
      const int64_t last = std::min(first + band, s.out_height) - 1;
      const int64_t top = Window(s, first, 0).top, bottom = Window(s, last, 0).bottom;
      transpose_in(x + top * s.in_width, in_size(s), (bottom - top) * s.in_width, plane, s.planes, block);
      const Values held{.block = block, .top = top, .width = s.in_width};
      for (int64_t p = first, i = 0; p <= last; ++p)
        for (int64_t q = 0; q < s.out_width; ++q, i += kLanes)
          window_of(held, Window(s, p, q), p, q, y_block + i, place_block + i);
      const int64_t begin = first * s.out_width, count = (last - first + 1) * s.out_width;
      transpose_out(y_block, out_size(s), count, plane, s.planes, y + begin);
      if (places)
        transpose_out(place_block, out_size(s), count, plane, s.planes, reinterpret_cast<float*>(places) + begin);
    }
  });
}

}  // namespace

void max_pool_forward(Stream& stream, const MaxPoolForwardArgs& args) {
  require_f32(args.dtype, "max_pool_forward");
  const PoolShape& s = args.shape;
  const float* x = floats(args.x);
  float* y = floats(args.y);
  const auto pairs = [&]<int lanes>() {
    for_planes(stream, s, [&](int64_t plane) {
      const int64_t out = plane * out_size(s);
      Pairs<lanes>::max_forward(s, x + plane * in_size(s), y + out, args.indices ? args.indices + out : nullptr,
                                args.relu != 0);
    });
  };
  if (with_pairs(s, pairs)) return;
  const auto maximum = [&](Values values, const Window& window, int64_t, int64_t, float* to, float* place_to) {
    Vector best = values(window.top, window.left);
    IntVector place = IntVector{} + static_cast<int32_t>(window.top * s.in_width + window.left);
    for (int64_t h = window.top; h < window.bottom; ++h)
      for (int64_t w = window.left; w < window.right; ++w) {
        const Vector value = values(h, w);
        // nan is not "at most", and so takes a number's place; nothing takes a nan's place.
        const IntVector stays = (value <= best) | (best != best);
        best = stays ? best : value;
        place = stays ? place : IntVector{} + static_cast<int32_t>(h * s.in_width + w);
      }
    store(to, args.relu ? relu(best) : best);
    store(place_to, from_bits(place));
  };
  for_windows(stream, s, x, y, args.indices, maximum);
}

// A plane's windows are taken in order by one thread, so that sums do not depend on the number of threads.
void max_pool_backward(Stream& stream, const MaxPoolBackwardArgs& args) {
  require_f32(args.dtype, "max_pool_backward");
  const PoolShape& s = args.shape;
  for_planes(stream, s, [&](int64_t plane) {
    const float* dy = floats(args.dy) + plane * out_size(s);
    const float* y = args.y ? floats(args.y) + plane * out_size(s) : nullptr;
    const int32_t* indices = args.indices + plane * out_size(s);
    float* dx = floats(args.dx) + plane * in_size(s);
    const auto pairs = [&]<int lanes>() {
      Pairs<lanes>::max_backward(s, dy, indices, y, dx);
      Pairs<lanes>::clear_rest(s, dx);
    };
    if (!args.accumulate && with_pairs(s, pairs)) return;
    if (!args.accumulate) std::fill(dx, dx + in_size(s), 0.0f);
    for (int64_t i = 0; i < out_size(s); ++i)
      if (!y || y[i] > 0.0f) dx[indices[i]] += dy[i];
  });
}

void average_pool_forward(Stream& stream, const AveragePoolForwardArgs& args) {
  require_f32(args.dtype, "average_pool_forward");
  const PoolShape& s = args.shape;
  const float* x = floats(args.x);
  float* y = floats(args.y);
  const auto pairs = [&]<int lanes>() {
    for_planes(stream, s, [&](int64_t plane) {
      Pairs<lanes>::average_forward(s, x + plane * in_size(s), y + plane * out_size(s));
    });
  };
  if (with_pairs(s, pairs)) return;
  const auto average = [&](Values values, const Window& window, int64_t p, int64_t q, float* to, float*) {
    Vector sum{};
    for (int64_t h = window.top; h < window.bottom; ++h)
      for (int64_t w = window.left; w < window.right; ++w) sum += values(h, w);
    store(to, sum / divisor_of(s, p, q, window, args.count_padding));
  };
  for_windows(stream, s, x, y, nullptr, average);
}

void average_pool_backward(Stream& stream, const AveragePoolBackwardArgs& args) {
  require_f32(args.dtype, "average_pool_backward");
  const PoolShape& s = args.shape;
  for_planes(stream, s, [&](int64_t plane) {
    const float* dy = floats(args.dy) + plane * out_size(s);
    float* dx = floats(args.dx) + plane * in_size(s);
    const auto pairs = [&]<int lanes>() {
      Pairs<lanes>::average_backward(s, dy, dx);
      Pairs<lanes>::clear_rest(s, dx);
    };
    if (!args.accumulate && with_pairs(s, pairs)) return;
    if (!args.accumulate) std::fill(dx, dx + in_size(s), 0.0f);
    for (int64_t p = 0; p < s.out_height; ++p)
      for (int64_t q = 0; q < s.out_width; ++q) {
        const Window window(s, p, q);
        const float share = dy[p * s.out_width + q] / divisor_of(s, p, q, window, args.count_padding);
        for (int64_t h = window.top; h < window.bottom; ++h)
          for (int64_t w = window.left; w < window.right; ++w) dx[h * s.in_width + w] += share;
      }
  });
}

}  // namespace cairn::simd
