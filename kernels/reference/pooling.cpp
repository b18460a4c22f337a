// Max and average pools, forward and backward. Not here: convolution (conv2d.cpp).
#include <algorithm>
#include <vector>

#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

// The part of one window that lies within x.
struct Window {
  int64_t top, bottom, left, right;  // rows [top, bottom), columns [left, right)
  Window(const PoolShape& s, int64_t p, int64_t q) {
    const int64_t row = p * s.stride_height - s.pad_height, column = q * s.stride_width - s.pad_width;
    top = std::max<int64_t>(row, 0);
    bottom = std::min(row + s.window_height, s.in_height);
    left = std::max<int64_t>(column, 0);
    right = std::min(column + s.window_width, s.in_width);
  }
  int64_t count() const { return (bottom - top) * (right - left); }
};

// What the sum over window p, q is divided by.
double divisor(const PoolShape& s, int64_t p, int64_t q, int32_t count_padding) {
  if (!count_padding) return static_cast<double>(Window(s, p, q).count());
  PoolShape padded = s;  // the padding as a part of x
  padded.in_height += 2 * s.pad_height;
  padded.in_width += 2 * s.pad_width;
  padded.pad_height = padded.pad_width = 0;
  return static_cast<double>(Window(padded, p, q).count());
}

}  // namespace

void max_pool_forward(Stream&, const MaxPoolForwardArgs& args) {
  with_type(args.dtype, "max_pool_forward", [&]<class T>(Type<T>) {
    const PoolShape& s = args.shape;
    int64_t out = 0;
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      const T* x = static_cast<const T*>(args.x) + plane * s.in_height * s.in_width;
      for (int64_t p = 0; p < s.out_height; ++p)
        for (int64_t q = 0; q < s.out_width; ++q, ++out) {
          const Window window(s, p, q);
          int64_t best = window.top * s.in_width + window.left;
          for (int64_t h = window.top; h < window.bottom; ++h)
            for (int64_t w = window.left; w < window.right; ++w) {
              const int64_t i = h * s.in_width + w;
              if (x[i] > x[best] || (std::isnan(x[i]) && !std::isnan(x[best]))) best = i;
            }
          static_cast<T*>(args.y)[out] = static_cast<T>(args.relu ? relu(x[best]) : x[best]);
          if (args.indices) args.indices[out] = static_cast<int32_t>(best);
        }
    }
  });
}

void max_pool_backward(Stream&, const MaxPoolBackwardArgs& args) {
  with_type(args.dtype, "max_pool_backward", [&]<class T>(Type<T>) {
    const PoolShape& s = args.shape;
    const int64_t in = s.in_height * s.in_width, out = s.out_height * s.out_width;
    const T* dy = static_cast<const T*>(args.dy);
    const T* y = static_cast<const T*>(args.y);
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      std::vector<double> sums(static_cast<size_t>(in));
      for (int64_t i = plane * out; i < (plane + 1) * out; ++i)
        if (!y || y[i] > 0) sums[static_cast<size_t>(args.indices[i])] += dy[i];
      for (int64_t j = 0; j < in; ++j)
        store(static_cast<T*>(args.dx)[plane * in + j], sums[static_cast<size_t>(j)], args.accumulate);
    }
  });
}

void average_pool_forward(Stream&, const AveragePoolForwardArgs& args) {
  with_type(args.dtype, "average_pool_forward", [&]<class T>(Type<T>) {
    const PoolShape& s = args.shape;
    int64_t out = 0;
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      const T* x = static_cast<const T*>(args.x) + plane * s.in_height * s.in_width;
      for (int64_t p = 0; p < s.out_height; ++p)
        for (int64_t q = 0; q < s.out_width; ++q, ++out) {
          const Window window(s, p, q);
          double sum = 0;
          for (int64_t h = window.top; h < window.bottom; ++h)
            for (int64_t w = window.left; w < window.right; ++w) sum += x[h * s.in_width + w];
          static_cast<T*>(args.y)[out] = static_cast<T>(sum / divisor(s, p, q, args.count_padding));
        }
    }
  });
}

void average_pool_backward(Stream&, const AveragePoolBackwardArgs& args) {
  with_type(args.dtype, "average_pool_backward", [&]<class T>(Type<T>) {
    const PoolShape& s = args.shape;
    const int64_t in = s.in_height * s.in_width;
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      const T* dy = static_cast<const T*>(args.dy) + plane * s.out_height * s.out_width;
      std::vector<double> sums(static_cast<size_t>(in));
      for (int64_t p = 0; p < s.out_height; ++p)
        for (int64_t q = 0; q < s.out_width; ++q) {
          const Window window(s, p, q);
          for (int64_t h = window.top; h < window.bottom; ++h)
            for (int64_t w = window.left; w < window.right; ++w)
              sums[static_cast<size_t>(h * s.in_width + w)] +=
                  dy[p * s.out_width + q] / divisor(s, p, q, args.count_padding);
        }
      for (int64_t j = 0; j < in; ++j)
        store(static_cast<T*>(args.dx)[plane * in + j], sums[static_cast<size_t>(j)], args.accumulate);
    }
  });
}

}  // namespace cairn::reference
