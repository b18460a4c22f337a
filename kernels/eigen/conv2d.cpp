// Convolution as products: an image's patches become the columns of a matrix ("im2col"), one image at a time.
//
//   patches[c r s][p q] = x[c][p stride - pad + r][q stride - pad + s], 0 outside x
//   y[k][p q] = weight[k][c r s] patches        dpatches = weight^T dy, added up where patches overlap
//   dweight = the sum over images of dy patches^T
//
// Not here: a kernel that covers the whole image (conv2d_product.h makes one product of it).
#include "kernels/conv2d_product.h"

#include "kernels/eigen/primitives.h"

namespace cairn::eigen {
namespace {

struct Sizes {
  explicit Sizes(const Conv2dShape& s)
      : image(s.in_channels * s.in_height * s.in_width),
        patch(s.in_channels * s.kernel_height * s.kernel_width),
        places(s.out_height * s.out_width),
        result(s.out_channels * places) {}

  int64_t image, patch, places, result;
};

// Calls body(c r s, p, first, count, x) for each row p of each row of the patches: its columns q from `first` on, count
// of them, lie in the image, from its element x on, stride_width apart.
template <class Body>
void for_each_run(const Conv2dShape& s, const Body& body) {
  int64_t row = 0;
  for (int64_t c = 0; c < s.in_channels; ++c)
    for (int64_t r = 0; r < s.kernel_height; ++r)
      for (int64_t t = 0; t < s.kernel_width; ++t, ++row) {
        const int64_t left = s.pad_width - t;  // q stride_width >= left, and < left + in_width
        const int64_t first = left > 0 ? std::min(ceil_div(left, s.stride_width), s.out_width) : 0;
        const int64_t width = left + s.in_width;
        const int64_t end = width > 0 ? std::min(ceil_div(width, s.stride_width), s.out_width) : 0;
        for (int64_t p = 0; p < s.out_height; ++p) {
          const int64_t h = p * s.stride_height - s.pad_height + r;
          if (h < 0 || h >= s.in_height || end <= first) continue;
          body(row, p, first, end - first, (c * s.in_height + h) * s.in_width + first * s.stride_width - left);
        }
      }
}

using Strided = Eigen::Map<Eigen::ArrayXf, Eigen::Unaligned, Eigen::InnerStride<>>;
using ConstStrided = Eigen::Map<const Eigen::ArrayXf, Eigen::Unaligned, Eigen::InnerStride<>>;

void fill_patches(const Conv2dShape& s, const float* x, RowMajorMatrix& patches) {
  patches.setZero();
  for_each_run(s, [&](int64_t row, int64_t p, int64_t first, int64_t count, int64_t from) {
    part(patches.data(), row * patches.cols() + p * s.out_width + first, count) =
        ConstStrided(x + from, count, Eigen::InnerStride<>(s.stride_width));
  });
}

void add_patches(const Conv2dShape& s, const RowMajorMatrix& patches, float* dx) {
  for_each_run(s, [&](int64_t row, int64_t p, int64_t first, int64_t count, int64_t to) {
    Strided(dx + to, count, Eigen::InnerStride<>(s.stride_width)) +=
        part(patches.data(), row * patches.cols() + p * s.out_width + first, count);
  });
}

// body(image, patches) for each image, in parallel; patches is the thread's to use.
template <class Body>
void for_each_image(Stream& stream, const Conv2dShape& s, const Sizes& sizes, const Body& body) {
  const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, sizes.patch * sizes.places));
  stream.pool.parallel_for(s.batch, grain, [&](int64_t begin, int64_t end) {
    RowMajorMatrix patches(sizes.patch, sizes.places);
    for (int64_t image = begin; image < end; ++image) body(image, patches);
  });
}

}  // namespace

void conv2d_forward(Stream& stream, const Conv2dForwardArgs& args) {
  require_f32(args.dtype, "conv2d_forward");
  const Conv2dShape& s = args.shape;
  if (is_product(args)) return gemm(stream, product_of(args));
  const Sizes sizes(s);
  const ConstMatrix weight(static_cast<const float*>(args.weight), s.out_channels, sizes.patch);
  const auto* add = static_cast<const float*>(args.add);
  for_each_image(stream, s, sizes, [&](int64_t image, RowMajorMatrix& patches) {
    fill_patches(s, static_cast<const float*>(args.x) + image * sizes.image, patches);
    Matrix y(static_cast<float*>(args.y) + image * sizes.result, s.out_channels, sizes.places);
    y.noalias() = weight * patches;
    if (args.bias) y.colwise() += part(args.bias, 0, s.out_channels).matrix();
    if (add) y += ConstMatrix(add + image * sizes.result, s.out_channels, sizes.places);
    if (args.relu) y = (y.array() < 0.0f).select(0.0f, y);  // nan stays
  });
}

void conv2d_backward_data(Stream& stream, const Conv2dBackwardDataArgs& args) {
  require_f32(args.dtype, "conv2d_backward_data");
  const Conv2dShape& s = args.shape;
  if (covers_image(s)) return gemm(stream, product_of(args));
  const Sizes sizes(s);
  const ConstMatrix weight(static_cast<const float*>(args.weight), s.out_channels, sizes.patch);
  for_each_image(stream, s, sizes, [&](int64_t image, RowMajorMatrix& patches) {
    float* dx = static_cast<float*>(args.dx) + image * sizes.image;
    const auto* dy = static_cast<const float*>(args.dy) + image * sizes.result;
    if (!args.accumulate) part(dx, 0, sizes.image).setZero();
    patches.noalias() = weight.transpose() * ConstMatrix(dy, s.out_channels, sizes.places);
    add_patches(s, patches, dx);
  });
}

void conv2d_backward_filter(Stream& stream, const Conv2dBackwardFilterArgs& args) {
  require_f32(args.dtype, "conv2d_backward_filter");
  const Conv2dShape& s = args.shape;
  if (covers_image(s)) return gemm(stream, product_of(args));
  const Sizes sizes(s);
  constexpr int64_t kMostSums = 16;  // each as large as the gradient, and added up in order
  const int64_t images = std::max<int64_t>(1, ceil_div(s.batch, kMostSums)), sums = ceil_div(s.batch, images);
  const int64_t size = s.out_channels * sizes.patch;
  RowMajorArray partial = RowMajorArray::Zero(std::max<int64_t>(1, sums), size);
  stream.pool.parallel_for(sums, 1, [&](int64_t begin, int64_t end) {
    RowMajorMatrix patches(sizes.patch, sizes.places);
    for (int64_t image = begin * images; image < std::min(end * images, s.batch); ++image) {
      fill_patches(s, static_cast<const float*>(args.x) + image * sizes.image, patches);
      const auto* dy = static_cast<const float*>(args.dy) + image * sizes.result;
      Matrix(partial.data() + image / images * size, s.out_channels, sizes.patch).noalias() +=
          ConstMatrix(dy, s.out_channels, sizes.places) * patches.transpose();
    }
  });
  store(part(args.dweight, 0, size), partial.colwise().sum().transpose(), args.accumulate);
}

void conv2d_backward_bias(Stream& stream, const Conv2dBackwardBiasArgs& args) {
  require_f32(args.dtype, "conv2d_backward_bias");
  stream.pool.parallel_for(args.channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; ++channel) {
      double total = 0;
      for (int64_t image = 0; image < args.batch; ++image) {
        const int64_t first = (image * args.channels + channel) * args.plane;
        const auto dy = part(args.dy, first, args.plane);
        if (args.y) part(args.dz, first, args.plane) = (part(args.y, first, args.plane) > 0.0f).select(dy, 0.0f);
        total += (args.y ? part(static_cast<const void*>(args.dz), first, args.plane) : dy).cast<double>().sum();
      }
      if (args.dbias) store(static_cast<float*>(args.dbias)[channel], static_cast<float>(total), args.accumulate);
    }
  });
}

}  // namespace cairn::eigen
