// Winograd's filtering for the gradient of the weights (winograd_transforms.h). Along one axis the gradient of n
// weights is a correlation too, of a tile's n + 3 data with its 4 values of dy: n results. So the data are
// transformed as in the forward pass, tiles of dy as filters are, and
//
//   sums[point]: out_channels x in_channels += dy[point]^T * data[point]      over all tiles, for each of the points
//
// are turned into n x n results once, at the end. Tiles are cut into chunks by the sizes alone, each with sums of its
// own, which are added in order; out_channels into slices, whose sums stay in the second-level cache.
#include <array>
#include <utility>

#include "kernels/simd/register_tile.h"
#include "kernels/simd/winograd.h"
#include "kernels/simd/winograd_tiles.h"

namespace cairn::simd {
namespace {

using namespace winograd;
using Args = Conv2dBackwardFilterArgs;

constexpr int kMostRows = 6 * kRowFactor;
constexpr int64_t kSliceFloats = 128 * 1024;  // of a slice's sums
constexpr int64_t kBlockFloats = 96 * 1024;   // of a block's transformed data and dy
constexpr int64_t kMostPartial = 1 << 20;     // floats of all chunks' sums
constexpr int64_t kTasks = 16;

template <class F>
struct Sizes {
  int64_t in, out, slice;  // channels, rounded up to vectors
  int64_t slices;
  Grid grid;
  int64_t sums_stride, chunk_floats, chunks;
  explicit Sizes(const Conv2dShape& s)
      : in(round_up(s.in_channels, kLanes)),
        out(round_up(s.out_channels, kLanes)),
        slice(std::min(out, std::max<int64_t>(kLanes, kSliceFloats / (F::kProducts * in) / kLanes * kLanes))),
        slices(ceil_div(out, slice)),
        grid(s.batch, s.out_height, s.out_width, kBlockFloats / (F::kProducts * (in + slice))),
        sums_stride(matrix_stride(out, in)),
        chunk_floats(F::kProducts * sums_stride),
        chunks(std::clamp<int64_t>(kMostPartial / chunk_floats, 1, std::min(grid.blocks(), ceil_div(kTasks, slices)))) {
  }
};

// sums[row][0 .. kVectors * kLanes) (+)= sum over tiles of dy[tile][row] * data[tile]
template <int kRows, int kVectors>
[[gnu::noinline]] void add_tile(const float* dy, int64_t dy_stride, const float* data, int64_t data_stride,
                                int64_t tiles, float* to, bool fresh) {
  RowsInPlace<kRows> a{{}, dy_stride};
  for (int r = 0; r < kRows; ++r) a.rows[r] = dy + r;
  Vector sums[kRows][kVectors] = {};
  if (!fresh) load_tile(sums, to, data_stride);
  multiply_add(sums, a, Panel<kVectors>{data, data_stride}, tiles);
  store_tile(to, data_stride, sums);
}

using Add = void (*)(const float*, int64_t, const float*, int64_t, int64_t, float*, bool);

// add_tile for 1, 2, ... kMostRows rows.
template <int kVectors, int... kRow>
constexpr std::array<Add, kMostRows> by_rows(std::integer_sequence<int, kRow...>) {
  return {add_tile<kRow + 1, kVectors>...};
}
template <int kVectors>
constexpr std::array<Add, kMostRows> kByRows = by_rows<kVectors>(std::make_integer_sequence<int, kMostRows>());

// sums += dy^T * data, of one point and one slice.
template <class F>
void add_products(const float* dy, int64_t channels, const float* data, const Sizes<F>& sizes, int64_t tiles,
                  float* sums, bool fresh) {
  const int64_t parts = ceil_div(channels, kMostRows);
  for (int64_t c = 0; c < sizes.in; c += 2 * kLanes)
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t first = channels * part / parts, rows = channels * (part + 1) / parts - first;
      const auto& functions = sizes.in - c < 2 * kLanes ? kByRows<1> : kByRows<2>;
      functions[static_cast<size_t>(rows - 1)](dy + first, channels, data + c, sizes.in, tiles,
                                               sums + first * sizes.in + c, fresh);
    }
}

// The sums of one chunk and one slice.
template <class F>
void add_slice(const Args& args, const Sizes<F>& sizes, int64_t chunk, int64_t slice, float* sums) {
  constexpr int kReach = F::kKernel - 1;  // of a place's data beyond it
  const Conv2dShape& s = args.shape;
  const Grid& grid = sizes.grid;
  const int64_t first_channel = slice * sizes.slice;
  const int64_t channels = std::min(sizes.slice, sizes.out - first_channel);
  const int64_t columns = grid.columns * kSize, data_columns = columns + kReach;
  const int64_t most = grid.tiles_of_block();
  const int64_t data_stride = matrix_stride(most, sizes.in), dy_stride = matrix_stride(most, channels);
  const int64_t most_rows = grid.strip_rows * kSize;
  float* turned =
      scratch(Scratch::image, std::max((most_rows + kReach) * data_columns * sizes.in, most_rows * columns * channels));
  float* data = scratch(Scratch::row_block, F::kProducts * (data_stride + dy_stride));
  float* dy = data + F::kProducts * data_stride;
  const Planes x_planes{floats(args.x), s.in_channels, s.in_height, s.in_width};
  const Planes dy_planes{floats(args.dy) + first_channel * s.out_height * s.out_width,
                         std::min(channels, s.out_channels - first_channel), s.out_height, s.out_width};
  const int64_t first_block = grid.blocks() * chunk / sizes.chunks;
  for (int64_t block = first_block; block < grid.blocks() * (chunk + 1) / sizes.chunks; ++block) {
    const int64_t tiles = grid.for_strips(block, [&](const Strip& strip) {
      const int64_t rows = strip.rows * kSize, first_row = strip.first_row * kSize, data_rows = rows + kReach;
      Planes image = x_planes;
      image.data += strip.image * s.in_channels * s.in_height * s.in_width;
      turn_channels_innermost(image, first_row - s.pad_height, -s.pad_width, data_rows, data_columns, turned);
      transform_strip<DataPoints<F>>(grid, strip, turned, data_rows, data_columns, sizes.in, data, data_stride);
      image = dy_planes;
      image.data += strip.image * s.out_channels * s.out_height * s.out_width;
      turn_channels_innermost(image, first_row, 0, rows, columns, turned);
      transform_strip<FilterPoints<F, kSize>>(grid, strip, turned, rows, columns, channels, dy, dy_stride);
    });
    for (int point = 0; point < F::kProducts; ++point)
      add_products(dy + point * dy_stride, channels, data + point * data_stride, sizes, tiles,
                   sums + point * sizes.sums_stride + first_channel * sizes.in, block == first_block);
  }
}

// The weights of one out channel from the chunks' sums.
template <class F>
void finish_channel(const Args& args, const Sizes<F>& sizes, int64_t channel, const float* sums) {
  constexpr int kKernel = F::kKernel, kTaps = kKernel * kKernel;
  const Conv2dShape& s = args.shape;
  for (int64_t c = 0; c < s.in_channels; c += kLanes) {
    float results[kTaps][kLanes];
    const float* from = sums + channel * sizes.in + c;
    along_both_axes<Results<F, kKernel>>(
        [&](int i, int j) {
          const float* point = from + (i * F::kPoints + j) * sizes.sums_stride;
          Vector sum = load(point);
          for (int64_t chunk = 1; chunk < sizes.chunks; ++chunk) sum += load(point + chunk * sizes.chunk_floats);
          return sum * (F::kScales[i] * F::kScales[j]);
        },
        [&](int i, int j, Vector v) { store(results[i * kKernel + j], v); });
    float* to = floats(args.dweight) + (channel * s.in_channels + c) * kTaps;
    for (int64_t lane = 0; lane < std::min<int64_t>(kLanes, s.in_channels - c); ++lane)
      for (int tap = 0; tap < kTaps; ++tap, ++to) *to = args.accumulate ? *to + results[tap][lane] : results[tap][lane];
  }
}

template <class F>
double cost(const Conv2dShape& s) {
  const Sizes<F> sizes(s);
  constexpr TransformCosts kCosts(F::kProducts);
  const auto tiles = static_cast<double>(sizes.grid.rows * sizes.grid.columns);
  const double in = static_cast<double>(sizes.in) / kLanes, out = static_cast<double>(sizes.out) / kLanes;
  const double transforms = tiles * (kCosts.data * in * static_cast<double>(sizes.slices) + kCosts.results * out);
  // Sums are loaded and stored for each block.
  const double products =
      F::kProducts * in * out * kLanes * (tiles + 4 * tiles / static_cast<double>(sizes.grid.tiles_of_block()));
  const double finish = (F::kProducts * static_cast<double>(sizes.chunks) + 1000) * in * out * kLanes;
  return products * 1.15 + transforms + finish / static_cast<double>(s.batch);
}

template <class F>
void gradient(Stream& stream, const Args& args) {
  const Sizes<F> sizes(args.shape);
  float* sums = scratch(Scratch::partial, sizes.chunks * sizes.chunk_floats);
  stream.pool.share_out(sizes.chunks * sizes.slices, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      add_slice(args, sizes, i / sizes.slices, i % sizes.slices, sums + i / sizes.slices * sizes.chunk_floats);
  });
  stream.pool.parallel_for(args.shape.out_channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) finish_channel(args, sizes, k, sums);
  });
}

}  // namespace

bool can_filter_minimally(const Conv2dShape& s) {
  constexpr int64_t kLeastTiles = 64;
  return (s.kernel_height == 3 || s.kernel_height == 5) && s.kernel_width == s.kernel_height && s.stride_height == 1 &&
         s.stride_width == 1 && sees_half_a_kernel(s.kernel_height, s.pad_height, s.in_height, s.out_height) &&
         sees_half_a_kernel(s.kernel_width, s.pad_width, s.in_width, s.out_width) && s.in_channels >= 16 &&
         s.out_channels >= 16 && s.out_height >= s.kernel_height && s.out_width >= s.kernel_width &&
         s.batch * ceil_div(s.out_height, kSize) * ceil_div(s.out_width, kSize) >= kLeastTiles;
}

double minimal_filter_gradient_cost(const Conv2dShape& s) {
  return with_filtering(s.kernel_height, [&](auto f) { return cost<decltype(f)>(s); });
}

void minimal_filter_gradient(Stream& stream, const Conv2dBackwardFilterArgs& args) {
  with_filtering(args.shape.kernel_height, [&](auto f) { gradient<decltype(f)>(stream, args); });
}

}  // namespace cairn::simd
