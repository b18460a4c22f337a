// Winograd's convolution (winograd_transforms.h): the forward pass, and the gradient of the input as a correlation over
// dy. For each block of tiles, on one thread:
//
//   the images, channels innermost  ->  data[point]: tiles x in_channels
//   products[point]: tiles x out_channels = data[point] * filters[point]      for each of the points
//   tiles of results, channels innermost  ->  rows of each channel's plane, with bias and ReLU
//
// data and products stay in the second-level cache; filters (kProducts * in_channels * out_channels floats, transformed
// at each call) come from the third for each block.
#include "kernels/simd/winograd.h"

#include <array>
#include <utility>

#include "kernels/simd/register_tile.h"
#include "kernels/simd/transpose.h"
#include "kernels/simd/winograd_tiles.h"

namespace cairn::simd {
namespace {

using namespace winograd;

constexpr int kMostRows = 6 * kRowFactor;  // of a register tile
constexpr int64_t kWidth = 2 * kLanes;     // of a panel of filters; the last one may have half
// A block of tiles: its transformed data and results stay in a cache. Filters that stay in none are read again for each
// block, from farther away than data and results of many tiles: then a block has more of them.
constexpr int64_t kBlockFloats = 96 * 1024;
constexpr int64_t kCachedFilterFloats = 256 * 1024, kManyTiles = 64;

// to[row][0 .. kVectors * kLanes) = sum over p of data[row * channels + p] * filter[p]
template <int kRows, int kVectors>
[[gnu::noinline]] void multiply_tile(const float* data, int64_t channels, const float* filter, int64_t depth, float* to,
                                     int64_t stride) {
  RowsInPlace<kRows> a{{}, 1};
  for (int r = 0; r < kRows; ++r) a.rows[r] = data + r * channels;
  Vector sums[kRows][kVectors] = {};
  multiply_add(sums, a, Panel<kVectors>{filter, kVectors * kLanes}, depth);
  store_tile(to, stride, sums);
}

using Multiply = void (*)(const float*, int64_t, const float*, int64_t, float*, int64_t);

// multiply_tile for 1, 2, ... kMostRows rows.
template <int kVectors, int... kRow>
constexpr std::array<Multiply, kMostRows> by_rows(std::integer_sequence<int, kRow...>) {
  return {multiply_tile<kRow + 1, kVectors>...};
}
template <int kVectors>
constexpr std::array<Multiply, kMostRows> kByRows = by_rows<kVectors>(std::make_integer_sequence<int, kMostRows>());

template <class F>
struct Sizes {
  int64_t channels, results;  // rounded up to vectors
  int64_t filters_stride;
  Grid grid;
  explicit Sizes(const Correlation& c)
      : channels(round_up(c.images.channels, kLanes)),
        results(round_up(c.out_channels, kLanes)),
        filters_stride(matrix_stride(c.images.channels, results)),
        grid(c.batch, c.out_height, c.out_width, most_tiles()) {}

  int64_t most_tiles() const {
    const int64_t in_cache = kBlockFloats / (F::kProducts * (channels + results));
    return F::kProducts * filters_stride > kCachedFilterFloats ? std::max(in_cache, kManyTiles) : in_cache;
  }
};

// filters[point][panel][in channel][kWidth out channels]
template <class F>
void transform_filters(Stream& stream, const Correlation& c, const Sizes<F>& sizes, float* filters) {
  constexpr int kKernel = F::kKernel;
  const int64_t depth = c.images.channels;
  stream.pool.parallel_for(depth, 1, [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; ++channel)
      for (int64_t k = 0; k < sizes.results; k += kLanes) {
        Vector taps[kKernel][kKernel] = {};
        for (int64_t lane = 0; lane < std::min<int64_t>(kLanes, c.out_channels - k); ++lane) {
          const float* from = c.weight + (k + lane) * c.weight_strides[0] + channel * c.weight_strides[1];
          for (int i = 0; i < kKernel; ++i)
            for (int j = 0; j < kKernel; ++j)
              taps[i][j][lane] = from[i * c.weight_strides[2] + j * c.weight_strides[3]];
        }
        const int64_t panel = k / kWidth * kWidth, width = std::min(kWidth, sizes.results - panel);
        float* to = filters + panel * depth + channel * width + (k - panel);
        along_both_axes<FilterPoints<F, kKernel>>([&](int i, int j) { return taps[i][j]; },
                                                  [&](int i, int j, Vector v) {
                                                    store(to + (i * F::kPoints + j) * sizes.filters_stride,
                                                          v * (F::kScales[i] * F::kScales[j]));
                                                  });
      }
  });
}

// Of a block's results: first to end - 1.
struct Range {
  int64_t first, end;
};

// products = data * filters, of one point.
template <class F>
void multiply(const float* data, int64_t tiles, const float* filters, const Sizes<F>& sizes, int64_t depth,
              const Range& results, float* products) {
  const int64_t parts = ceil_div(tiles, kMostRows);
  for (int64_t k = results.first; k < results.end; k += kWidth) {
    const bool half = sizes.results - k < kWidth;
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t first = tiles * part / parts, rows = tiles * (part + 1) / parts - first;
      const auto& functions = half ? kByRows<1> : kByRows<2>;
      functions[static_cast<size_t>(rows - 1)](data + first * sizes.channels, sizes.channels, filters + k * depth,
                                               depth, products + first * sizes.results + k, sizes.results);
    }
  }
}

// Stores kLanes channels' results, which lie pixel by pixel in rows of `pitch` pixels, into their planes.
void store_rows(const Correlation& c, const Strip& strip, const float* turned, int64_t pitch, int64_t first_channel) {
  const int64_t first_row = strip.first_row * kSize, rows = std::min(strip.rows * kSize, c.out_height - first_row);
  const int64_t channels = std::min<int64_t>(kLanes, c.out_channels - first_channel);
  // A row's last vector may overlap the one before, unless it would be added twice.
  const bool overlap = c.add != c.output && c.out_width >= kLanes;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t next = 0; next < c.out_width; next += kLanes) {
      const int64_t column = overlap ? std::min(next, c.out_width - kLanes) : next;
      const int64_t lanes = std::min<int64_t>(kLanes, c.out_width - column);
      Vector block[kLanes];
      for (int i = 0; i < kLanes; ++i) block[i] = load(turned + (row * pitch + column + i) * kLanes);
      transpose(block);
      float* to = c.output + strip.image * c.output_strides[0] + first_channel * c.output_strides[1] +
                  (first_row + row) * c.output_strides[2] + column;
      for (int64_t i = 0; i < channels; ++i, to += c.output_strides[1]) {
        Vector value = block[i];
        if (c.add) value += load_part(c.add + (to - c.output), lanes);
        if (c.bias) value += c.bias[first_channel + i];
        store_part(to, c.relu ? relu(value) : value, lanes);
      }
    }
}

template <class F>
double cost(const Correlation& c, bool prepared) {
  const Sizes<F> sizes(c);
  constexpr TransformCosts kCosts(F::kProducts);
  const auto tiles = static_cast<double>(sizes.grid.rows * sizes.grid.columns);
  const auto depth = static_cast<double>(c.images.channels);
  const double in = static_cast<double>(sizes.channels) / kLanes, out = static_cast<double>(sizes.results) / kLanes;
  const double transforms = tiles * (kCosts.data * in + kCosts.results * out) +
                            (prepared ? 0.0 : kCosts.filter * depth * out / static_cast<double>(c.batch));
  return F::kProducts * tiles * out * (depth + 4) * 1.15 + transforms;
}

// A tile of kLanes channels' results to their place among a strip's.
template <class F>
void store_tile(const float* products, int64_t products_stride, float* to, int64_t pitch) {
  along_both_axes<Results<F, kSize>>(
      [&](int i, int j) { return load(products + (i * F::kPoints + j) * products_stride); },
      [&](int i, int j, Vector v) { store(to + (i * pitch + j) * kLanes, v); });
}

template <class F>
void filter(Stream& stream, const Correlation& c) {
  constexpr int kReach = F::kKernel - 1;  // of a result's data beyond it
  const Sizes<F> sizes(c);
  const Grid& grid = sizes.grid;
  const float* filters = c.prepared;
  if (!filters) {
    float* transformed = scratch(Scratch::weight, F::kProducts * sizes.filters_stride);
    transform_filters(stream, c, sizes, transformed);
    filters = transformed;
  }
  const int64_t most = grid.tiles_of_block();
  const int64_t data_stride = matrix_stride(most, sizes.channels), products_stride = matrix_stride(most, sizes.results);
  const int64_t columns = grid.columns * kSize + kReach, pitch = grid.columns * kSize;
  const int64_t turned_floats = (grid.strip_rows * kSize + kReach) * columns * sizes.channels;
  const int64_t results_floats = (grid.strip_rows * kSize * pitch + kLanes) * kLanes;
  const Planes planes{c.images.data, c.images.channels, c.images.height, c.images.width};
  // Where there are fewer blocks than threads these share a block's results: each transforms the data for itself, and
  // reads its part of the filters alone.
  const int64_t panels = ceil_div(sizes.results, kWidth);
  const int64_t parts = std::min(panels, ceil_div(int64_t{stream.pool.size()}, grid.blocks()));
  stream.pool.share_out(grid.blocks() * parts, 1, [&](int64_t begin, int64_t end) {
    float* turned = scratch(Scratch::image, std::max(turned_floats, results_floats));
    float* data = scratch(Scratch::row_block, F::kProducts * (data_stride + products_stride));
    float* products = data + F::kProducts * data_stride;
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t block = unit / parts, part = unit % parts;
      const Range results{panels * part / parts * kWidth,
                          std::min(sizes.results, panels * (part + 1) / parts * kWidth)};
      const int64_t tiles = grid.for_strips(block, [&](const Strip& strip) {
        const int64_t rows = strip.rows * kSize + kReach;
        Planes image = planes;
        image.data += strip.image * planes.channels * planes.height * planes.width;
        turn_channels_innermost(image, strip.first_row * kSize - c.images.above, -c.images.left, rows, columns, turned);
        transform_strip<DataPoints<F>>(grid, strip, turned, rows, columns, sizes.channels, data, data_stride);
      });
      for (int point = 0; point < F::kProducts; ++point)
        multiply(data + point * data_stride, tiles, filters + point * sizes.filters_stride, sizes, planes.channels,
                 results, products + point * products_stride);
      for (int64_t k = results.first; k < results.end; k += kLanes)
        grid.for_strips(block, [&](const Strip& strip) {
          for (int64_t tile = 0; tile < strip.rows * grid.columns; ++tile)
            store_tile<F>(products + (strip.first_tile + tile) * sizes.results + k, products_stride,
                          turned + (tile / grid.columns * pitch + tile % grid.columns) * kSize * kLanes, pitch);
          store_rows(c, strip, turned, pitch, k);
        });
    }
  });
}

}  // namespace

bool can_filter_minimally(const Correlation& c) {
  return (c.kernel_height == 3 || c.kernel_height == 5) && c.kernel_width == c.kernel_height &&
         sees_half_a_kernel(c.kernel_height, c.images.above, c.images.height, c.out_height) &&
         sees_half_a_kernel(c.kernel_width, c.images.left, c.images.width, c.out_width) && c.step_height == 1 &&
         c.step_width == 1 && c.output_strides[3] == 1 && c.images.channels >= 16 && c.out_channels >= 16 &&
         c.batch > 0 && c.out_height > 0 && c.out_width > 0;
}

double minimal_filtering_cost(const Correlation& c, bool prepared) {
  return with_filtering(c.kernel_height, [&](auto f) { return cost<decltype(f)>(c, prepared); });
}

int64_t minimal_filter_floats(const Correlation& c) {
  return with_filtering(c.kernel_height,
                        [&](auto f) { return decltype(f)::kProducts * Sizes<decltype(f)>(c).filters_stride; });
}

void transform_filters(Stream& stream, const Correlation& c, float* to) {
  with_filtering(c.kernel_height, [&](auto f) { transform_filters(stream, c, Sizes<decltype(f)>(c), to); });
}

void filter_minimally(Stream& stream, const Correlation& c) {
  with_filtering(c.kernel_height, [&](auto f) { filter<decltype(f)>(stream, c); });
}

}  // namespace cairn::simd
