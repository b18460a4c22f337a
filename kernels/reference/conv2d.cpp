// Convolution: forward and its three gradients, seven loops each. Not here: pooling (pooling.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

// An index into the four-dimensional array whose three inner sizes are given.
int64_t at(int64_t i, int64_t j, int64_t k, int64_t l, int64_t sizes_j, int64_t sizes_k, int64_t sizes_l) {
  return ((i * sizes_j + j) * sizes_k + k) * sizes_l + l;
}

// Where the elements of one convolution's arrays lie.
struct Indices {
  const Conv2dShape& s;
  int64_t x(int64_t n, int64_t c, int64_t h, int64_t w) const {
    return at(n, c, h, w, s.in_channels, s.in_height, s.in_width);
  }
  int64_t y(int64_t n, int64_t k, int64_t p, int64_t q) const {
    return at(n, k, p, q, s.out_channels, s.out_height, s.out_width);
  }
  int64_t weight(int64_t k, int64_t c, int64_t r, int64_t t) const {
    return at(k, c, r, t, s.in_channels, s.kernel_height, s.kernel_width);
  }
};

// Calls body(p, q) for every output whose kernel element (r, t) lies on x[h,w].
template <class Body>
void for_each_output(const Conv2dShape& s, int64_t h, int64_t w, int64_t r, int64_t t, const Body& body) {
  const int64_t down = h + s.pad_height - r, right = w + s.pad_width - t;
  if (down < 0 || right < 0 || down % s.stride_height || right % s.stride_width) return;
  const int64_t p = down / s.stride_height, q = right / s.stride_width;
  if (p < s.out_height && q < s.out_width) body(p, q);
}

}  // namespace

void conv2d_forward(Stream&, const Conv2dForwardArgs& args) {
  with_type(args.dtype, "conv2d_forward", [&]<class T>(Type<T>) {
    const Conv2dShape& s = args.shape;
    const Indices index{s};
    const T* x = static_cast<const T*>(args.x);
    const T* weight = static_cast<const T*>(args.weight);
    const T* bias = static_cast<const T*>(args.bias);
    const T* add = static_cast<const T*>(args.add);
    for (int64_t n = 0; n < s.batch; ++n)
      for (int64_t k = 0; k < s.out_channels; ++k)
        for (int64_t p = 0; p < s.out_height; ++p)
          for (int64_t q = 0; q < s.out_width; ++q) {
            double sum = 0;
            for (int64_t c = 0; c < s.in_channels; ++c)
              for (int64_t r = 0; r < s.kernel_height; ++r)
                for (int64_t t = 0; t < s.kernel_width; ++t) {
                  const int64_t h = p * s.stride_height - s.pad_height + r, w = q * s.stride_width - s.pad_width + t;
                  if (h < 0 || h >= s.in_height || w < 0 || w >= s.in_width) continue;
                  sum += static_cast<double>(x[index.x(n, c, h, w)]) * weight[index.weight(k, c, r, t)];
                }
            if (bias) sum += bias[k];
            if (add) sum += add[index.y(n, k, p, q)];
            static_cast<T*>(args.y)[index.y(n, k, p, q)] = static_cast<T>(args.relu ? relu(sum) : sum);
          }
  });
}

void conv2d_backward_data(Stream&, const Conv2dBackwardDataArgs& args) {
  with_type(args.dtype, "conv2d_backward_data", [&]<class T>(Type<T>) {
    const Conv2dShape& s = args.shape;
    const Indices index{s};
    const T* dy = static_cast<const T*>(args.dy);
    const T* weight = static_cast<const T*>(args.weight);
    for (int64_t n = 0; n < s.batch; ++n)
      for (int64_t c = 0; c < s.in_channels; ++c)
        for (int64_t h = 0; h < s.in_height; ++h)
          for (int64_t w = 0; w < s.in_width; ++w) {
            double sum = 0;
            for (int64_t k = 0; k < s.out_channels; ++k)
              for (int64_t r = 0; r < s.kernel_height; ++r)
                for (int64_t t = 0; t < s.kernel_width; ++t)
                  for_each_output(s, h, w, r, t, [&](int64_t p, int64_t q) {
                    sum += static_cast<double>(dy[index.y(n, k, p, q)]) * weight[index.weight(k, c, r, t)];
                  });
            store(static_cast<T*>(args.dx)[index.x(n, c, h, w)], sum, args.accumulate);
          }
  });
}

void conv2d_backward_filter(Stream&, const Conv2dBackwardFilterArgs& args) {
  with_type(args.dtype, "conv2d_backward_filter", [&]<class T>(Type<T>) {
    const Conv2dShape& s = args.shape;
    const Indices index{s};
    const T* x = static_cast<const T*>(args.x);
    const T* dy = static_cast<const T*>(args.dy);
    for (int64_t k = 0; k < s.out_channels; ++k)
      for (int64_t c = 0; c < s.in_channels; ++c)
        for (int64_t r = 0; r < s.kernel_height; ++r)
          for (int64_t t = 0; t < s.kernel_width; ++t) {
            double sum = 0;
            for (int64_t n = 0; n < s.batch; ++n)
              for (int64_t p = 0; p < s.out_height; ++p)
                for (int64_t q = 0; q < s.out_width; ++q) {
                  const int64_t h = p * s.stride_height - s.pad_height + r, w = q * s.stride_width - s.pad_width + t;
                  if (h < 0 || h >= s.in_height || w < 0 || w >= s.in_width) continue;
                  sum += static_cast<double>(dy[index.y(n, k, p, q)]) * x[index.x(n, c, h, w)];
                }
            store(static_cast<T*>(args.dweight)[index.weight(k, c, r, t)], sum, args.accumulate);
          }
  });
}

void conv2d_backward_bias(Stream&, const Conv2dBackwardBiasArgs& args) {
  with_type(args.dtype, "conv2d_backward_bias", [&]<class T>(Type<T>) {
    const T* dy = static_cast<const T*>(args.dy);
    const T* y = static_cast<const T*>(args.y);
    for (int64_t k = 0; k < args.channels; ++k) {
      double sum = 0;
      for (int64_t n = 0; n < args.batch; ++n)
        for (int64_t i = 0; i < args.plane; ++i) {
          const int64_t element = (n * args.channels + k) * args.plane + i;
          const T dz = !y || y[element] > 0 ? dy[element] : T{0};
          if (y) static_cast<T*>(args.dz)[element] = dz;
          sum += dz;
        }
      if (args.dbias) store(static_cast<T*>(args.dbias)[k], sum, args.accumulate);
    }
  });
}

}  // namespace cairn::reference
