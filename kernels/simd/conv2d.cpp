// Convolution: the forward pass and the gradients of the input and of the bias. Not here: the sliding itself
// (correlation.cpp) and the gradient of the weights (conv2d_filter.cpp).
#include "kernels/conv2d_product.h"
#include "kernels/simd/correlation.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/scatter.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

namespace {

Correlation correlation_of(const Conv2dForwardArgs& args) {
  const Conv2dShape& s = args.shape;
  const int64_t taps = s.kernel_height * s.kernel_width, plane = s.out_height * s.out_width;
  return {.batch = s.batch,
          .images = {.data = floats(args.x),
                     .channels = s.in_channels,
                     .height = s.in_height,
                     .width = s.in_width,
                     .above = s.pad_height,
                     .left = s.pad_width},
          .kernel_height = s.kernel_height,
          .kernel_width = s.kernel_width,
          .step_height = s.stride_height,
          .step_width = s.stride_width,
          .weight = floats(args.weight),
          .weight_strides = {s.in_channels * taps, taps, s.kernel_width, 1},
          .out_channels = s.out_channels,
          .out_height = s.out_height,
          .out_width = s.out_width,
          .output = floats(args.y),
          .output_strides = {s.out_channels * plane, plane, s.out_width, 1},
          .add = floats(args.add),
          .bias = floats(args.bias),
          .relu = args.relu != 0,
          .prepared = floats(args.prepared)};
}

}  // namespace

void conv2d_forward(Stream& stream, const Conv2dForwardArgs& args) {
  require_f32(args.dtype, "conv2d_forward");
  if (is_product(args)) return gemm(stream, product_of(args));
  correlate(stream, correlation_of(args));
}

int64_t prepare_conv2d(Stream& stream, const Conv2dShape& shape, const void* weight, void* prepared) {
  if (covers_image(shape)) return 0;
  return prepare_correlation(stream, correlation_of({.dtype = DType::f32, .shape = shape, .weight = weight}),
                             floats(prepared));
}

namespace {

// Which rows of the kernel meet the rows h = phase, phase + stride, ... of x, and which rows of dy: kernel row
// first + stride * m meets row h / stride + reach - m of dy, m in [0, count). Columns likewise.
struct Phase {
  int64_t first, count, reach, size;  // size: how many such rows x has
  Phase(int64_t phase, int64_t pad, int64_t stride, int64_t kernel, int64_t in)
      : first((phase + pad) % stride),
        count(first < kernel ? (kernel - first - 1) / stride + 1 : 0),
        reach((phase + pad) / stride),
        size(in > phase ? (in - phase - 1) / stride + 1 : 0) {}
};

// The rows h = down + stride * i of dx, and columns likewise, as a correlation of step 1 over dy with every stride-th
// row of the kernel, last one first: nothing is spent on the zeros that a stride would put between the rows of dy.
Correlation phase_of(const Conv2dBackwardDataArgs& args, int64_t down, int64_t right) {
  const Conv2dShape& s = args.shape;
  const int64_t taps = s.kernel_height * s.kernel_width, plane = s.in_height * s.in_width;
  const Phase rows(down, s.pad_height, s.stride_height, s.kernel_height, s.in_height);
  const Phase columns(right, s.pad_width, s.stride_width, s.kernel_width, s.in_width);
  const int64_t last_row = rows.first + (rows.count - 1) * s.stride_height;
  const int64_t last_column = columns.first + (columns.count - 1) * s.stride_width;
  float* dx = floats(args.dx) + down * s.in_width + right;
  return {.batch = s.batch,
          .images = {.data = floats(args.dy),
                     .channels = s.out_channels,
                     .height = s.out_height,
                     .width = s.out_width,
                     .above = rows.count - 1 - rows.reach,
                     .left = columns.count - 1 - columns.reach},
          .kernel_height = rows.count,
          .kernel_width = columns.count,
          .step_height = 1,
          .step_width = 1,
          .weight = floats(args.weight) + last_row * s.kernel_width + last_column,
          .weight_strides = {taps, s.in_channels * taps, -s.stride_height * s.kernel_width, -s.stride_width},
          .out_channels = s.in_channels,
          .out_height = rows.size,
          .out_width = columns.size,
          .output = dx,
          .output_strides = {s.in_channels * plane, plane, s.stride_height * s.in_width, s.stride_width},
          .add = args.accumulate ? dx : nullptr,
          .bias = nullptr,
          .relu = false};
}

}  // namespace

void conv2d_backward_data(Stream& stream, const Conv2dBackwardDataArgs& args) {
  require_f32(args.dtype, "conv2d_backward_data");
  const Conv2dShape& s = args.shape;
  if (covers_image(s)) return gemm(stream, product_of(args));
  const auto for_phases = [&](const auto& body) {
    for (int64_t down = 0; down < s.stride_height; ++down)
      for (int64_t right = 0; right < s.stride_width; ++right) body(phase_of(args, down, right));
  };
  if (can_scatter(s)) {
    double correlation = 0;
    for_phases([&](const Correlation& phase) { correlation += correlation_cost(phase); });
    if (scatter_cost(s) < correlation) return scatter_backward_data(stream, args);
  }
  for_phases([&](const Correlation& phase) { correlate(stream, phase); });
}

namespace {

// The sum of a plane's values, ReLU's mask applied and stored on the way.
template <bool kMasked>
float sum_plane(const float* dy, const float* y, float* dz, int64_t plane) {
  const auto masked = [&](int64_t i) {
    Vector value = load(dy + i);
    if constexpr (kMasked) {
      value = load(y + i) > 0.0f ? value : Vector{};
      store(dz + i, value);
    }
    return value;
  };
  constexpr int64_t kStep = 4 * kLanes;  // four sums cover the latency of an addition
  Vector sums[4] = {};
  int64_t i = 0;
  for (; i + kStep <= plane; i += kStep)
    for (int j = 0; j < 4; ++j) sums[j] += masked(i + j * kLanes);
  for (; i + kLanes <= plane; i += kLanes) sums[0] += masked(i);
  const Vector all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float total = 0;
  for (; i < plane; ++i) {
    const float value = !kMasked || y[i] > 0.0f ? dy[i] : 0.0f;
    if constexpr (kMasked) dz[i] = value;
    total += value;
  }
  for (int lane = 0; lane < kLanes; ++lane) total += all[lane];
  return total;
}

}  // namespace

void conv2d_backward_bias(Stream& stream, const Conv2dBackwardBiasArgs& args) {
  require_f32(args.dtype, "conv2d_backward_bias");
  const Chunks chunks(args.batch, args.channels * args.plane, 1);
  float* partial = scratch(Scratch::partial, std::max<int64_t>(1, chunks.count) * args.channels);
  stream.pool.share_out(chunks.count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      float* sums = partial + chunk * args.channels;
      std::fill(sums, sums + args.channels, 0.0f);
      for (int64_t n = chunk * chunks.rows; n < std::min(args.batch, (chunk + 1) * chunks.rows); ++n)
        for (int64_t k = 0; k < args.channels; ++k) {
          const int64_t first = (n * args.channels + k) * args.plane;
          sums[k] += args.y ? sum_plane<true>(floats(args.dy) + first, floats(args.y) + first, floats(args.dz) + first,
                                              args.plane)
                            : sum_plane<false>(floats(args.dy) + first, nullptr, nullptr, args.plane);
        }
    }
  });
  if (!args.dbias) return;
  float* dbias = floats(args.dbias);
  for (int64_t k = 0; k < args.channels; ++k) {
    float total = 0;
    for (int64_t chunk = 0; chunk < chunks.count; ++chunk) total += partial[chunk * args.channels + k];
    dbias[k] = args.accumulate ? dbias[k] + total : total;
  }
}

}  // namespace cairn::simd
