// Convolution rung 1, direct: one thread a result, its sum as the definition says. Where the filter reaches beyond x,
// the loops are cut short instead of multiplying by zeros.
//
//   convolution       thread = (n, m, p, q), neighbours on neighbouring q: they read neighbouring x (a stride apart)
//                     and the same weights
//   filter gradient   thread = (m, c, r, s): it walks over all places of all images, image by image, so that no float
//                     sum is longer than a plane and then the batch
//
// 2 FLOPs for 8 bytes, which only the caches make bearable: each x is read filters * taps times. The filter gradient
// has as many threads as there are weights, 150 for LeNet's first layer: most of a GPU is idle.
#include "kernels/vanilla/conv2d/patch.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// The i in [0, count) for which first + i * step is an index below size.
struct Range {
  int begin, end;
};
__device__ __forceinline__ Range inside(int first, int step, int count, int size) {
  const int begin = first >= 0 ? 0 : (-first + step - 1) / step;
  const int reach = size - first;  // i * step < reach
  const int end = reach <= 0 ? 0 : (reach + step - 1) / step;
  return {begin, end < count ? end : count};
}

__global__ void direct_kernel(Convolution p, int64_t results) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= results) return;
  const Patches& x = p.patches;
  const int plane = x.rows * x.columns;
  const int64_t line = i / plane;  // n * filters + m
  const int filter = static_cast<int>(line % p.filters);
  Triple place = split_place(x, static_cast<int>(i % plane));
  place.outer = static_cast<int>(line / p.filters);
  const int h0 = x.first_h + place.middle * x.step_h, w0 = x.first_w + place.inner * x.step_w;
  const Range r = inside(h0, 1, x.taps_h, x.height), s = inside(w0, 1, x.taps_w, x.width);
  const float* weight = p.weight + static_cast<int64_t>(filter) * x.terms();
  float sum = 0.0f;
  for (int c = 0; c < x.channels; ++c, weight += x.taps_h * x.taps_w) {
    const float* from = plane_of(x, place.outer, c);
    for (int tap_h = r.begin; tap_h < r.end; ++tap_h) {
      const int64_t row = static_cast<int64_t>(h0 + tap_h) * x.width + w0;
      for (int tap_w = s.begin; tap_w < s.end; ++tap_w) sum += from[row + tap_w] * weight[tap_h * x.taps_w + tap_w];
    }
  }
  store(p.output, filter, place, sum);
}

__global__ void direct_filter_kernel(FilterGradient p, int64_t results) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= results) return;
  const Patches& x = p.b;
  const int filter = static_cast<int>(i / p.n), column = static_cast<int>(i % p.n);
  const Triple term = split_term(x, column);
  const int h0 = x.first_h + term.middle, w0 = x.first_w + term.inner;
  const Range rows = inside(h0, x.step_h, x.rows, x.height), columns = inside(w0, x.step_w, x.columns, x.width);
  float total = 0.0f;
  for (int n = 0; n < x.batch; ++n) {
    const float* from = plane_of(x, n, term.outer);
    const float* dy = p.a.dy + (static_cast<int64_t>(n) * p.m + filter) * x.rows * x.columns;
    float sum = 0.0f;
    for (int row = rows.begin; row < rows.end; ++row) {
      const int64_t at = static_cast<int64_t>(h0 + row * x.step_h) * x.width + w0;
      for (int q = columns.begin; q < columns.end; ++q)
        sum += dy[static_cast<int64_t>(row) * x.columns + q] * from[at + q * x.step_w];
    }
    total += sum;
  }
  store(p.output, filter, column, total);
}

}  // namespace

void convolve_direct(Stream& stream, const Convolution& problem) {
  const int64_t results = int64_t{problem.filters} * problem.patches.places();
  simt::launch<direct_kernel>(stream, element_grid(results), kElementBlock, 0, problem, results);
}

void filter_gradient_direct(Stream& stream, const FilterGradient& problem) {
  const int64_t results = int64_t{problem.m} * problem.n;
  simt::launch<direct_filter_kernel>(stream, element_grid(results), kElementBlock, 0, problem, results);
}

}  // namespace cairn::CAIRN_VANILLA
