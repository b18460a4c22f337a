// Max and average pools, forward and backward, threaded over planes. Not here: windows of 2 x 2 side by side, which
// have vector code (pool_pairs.h).
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/simd/pool_pairs.h"
#include "kernels/simd/primitives.h"
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

// Calls body(p, q, lane count) so that every window of a plane has its turn: kLanes of them at a time where neither
// edge cuts their columns, otherwise one. A row's last vector may overlap the one before.
template <class Body>
void for_windows(const PoolShape& s, const Body& body) {
  const int64_t first = std::min(ceil_div(s.pad_width, s.stride_width), s.out_width);
  const int64_t room = s.in_width + s.pad_width - s.window_width;
  const int64_t last = room < 0 ? first : std::clamp(room / s.stride_width + 1, first, s.out_width);
  const int64_t whole = last - first >= kLanes ? last : first;  // from first to whole in vectors
  for (int64_t p = 0; p < s.out_height; ++p) {
    for (int64_t q = 0; q < first; ++q) body(p, q, std::integral_constant<int, 1>());
    for (int64_t q = first; q < whole; q += kLanes)
      body(p, std::min(q, whole - kLanes), std::integral_constant<int, kLanes>());
    for (int64_t q = whole; q < s.out_width; ++q) body(p, q, std::integral_constant<int, 1>());
  }
}

// from[0], from[stride], from[2 * stride] ...
template <int lanes>
auto load_apart(const float* from, int64_t stride) {
  if constexpr (lanes == 1) {
    return *from;
  } else {
    if (stride == 1) return load(from);
    Vector v;
    for (int lane = 0; lane < kLanes; ++lane) v[lane] = from[lane * stride];
    return v;
  }
}
inline void store(float* to, float value) {
  *to = value;
}

// 0, stride, 2 * stride ...
template <int lanes>
auto places_apart(int64_t stride) {
  if constexpr (lanes == 1) {
    return int32_t{0};
  } else {
    IntVector v;
    for (int lane = 0; lane < kLanes; ++lane) v[lane] = lane * static_cast<int32_t>(stride);
    return v;
  }
}
inline void store_places(int32_t* to, int32_t place) {
  *to = place;
}
inline void store_places(int32_t* to, IntVector places) {
  std::memcpy(to, &places, sizeof places);
}

}  // namespace

void max_pool_forward(Stream& stream, const MaxPoolForwardArgs& args) {
  require_f32(args.dtype, "max_pool_forward");
  const PoolShape& s = args.shape;
  for_planes(stream, s, [&](int64_t plane) {
    const float* x = floats(args.x) + plane * in_size(s);
    float* y = floats(args.y) + plane * out_size(s);
    int32_t* indices = args.indices ? args.indices + plane * out_size(s) : nullptr;
    if (with_pairs(s, [&]<int lanes>() { Pairs<lanes>::max_forward(s, x, y, indices, args.relu != 0); })) return;
    for_windows(s, [&]<int lanes>(int64_t p, int64_t q, std::integral_constant<int, lanes>) {
      const Window window(s, p, q);
      const float* corner = x + window.top * s.in_width + window.left;
      auto best = load_apart<lanes>(corner, s.stride_width);
      auto place = places_apart<lanes>(s.stride_width) + static_cast<int32_t>(corner - x);
      const auto corners = place;
      for (int64_t h = 0; h < window.bottom - window.top; ++h)
        for (int64_t w = 0; w < window.right - window.left; ++w) {
          const auto value = load_apart<lanes>(corner + h * s.in_width + w, s.stride_width);
          // nan is not "at most", and so takes a number's place; nothing takes a nan's place.
          const auto stays = (value <= best) | (best != best);
          best = stays ? best : value;
          place = stays ? place : corners + static_cast<int32_t>(h * s.in_width + w);
        }
      const int64_t i = p * s.out_width + q;
      store(y + i, args.relu ? relu(best) : best);
      if (indices) store_places(indices + i, place);
    });
  });
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
  for_planes(stream, s, [&](int64_t plane) {
    const float* x = floats(args.x) + plane * in_size(s);
    float* y = floats(args.y) + plane * out_size(s);
    if (with_pairs(s, [&]<int lanes>() { Pairs<lanes>::average_forward(s, x, y); })) return;
    for_windows(s, [&]<int lanes>(int64_t p, int64_t q, std::integral_constant<int, lanes>) {
      const Window window(s, p, q);
      const float* corner = x + window.top * s.in_width + window.left;
      decltype(load_apart<lanes>(corner, 1)) sum{};
      for (int64_t h = 0; h < window.bottom - window.top; ++h)
        for (int64_t w = 0; w < window.right - window.left; ++w)
          sum += load_apart<lanes>(corner + h * s.in_width + w, s.stride_width);
      store(y + p * s.out_width + q, sum / divisor_of(s, p, q, window, args.count_padding));
    });
  });
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
