// The gradient of a convolution's weights: dweight[k,c,r,s] = sum over images and places of dy * x. Not here: the other
// directions (conv2d.cpp).
//
// Three ways to lay the register tile over it, by what its rows and its vectors are; the sum runs along the places of
// an image. A tap is one of (c, r, s).
//
//   taps x channels:   taps broadcast from the padded image, x output channels, dy turned to channels innermost
//   channels x taps:   output channels broadcast from dy, x runs of (s, c), the image turned to channels innermost:
//                      there a row of the kernel is kernel_width * in_channels neighbouring values
//   taps x channels along the places: both operands are vectors of neighbouring places, and lanes are added up at the
//                      end. For images of one or a few channels.
//
// The cheapest by multiply-adds (idle lanes and turning included) is taken, winograd_filter.cpp's among them. Images
// are cut into chunks, at most 16 and by the sizes alone; a chunk sums into an array of its own (rows x vectors of the
// tiles), and those are added in order. Where few chunks fit into memory, their tiles' rows are shared out too.
#include "kernels/conv2d_product.h"
#include "kernels/simd/padded_images.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/register_tile.h"
#include "kernels/simd/transpose.h"
#include "kernels/simd/winograd.h"

namespace cairn::simd {
namespace {

using Args = Conv2dBackwardFilterArgs;

int64_t places_of(const Conv2dShape& s) {
  return s.out_height * s.out_width;
}
int64_t taps_of(const Conv2dShape& s) {
  return s.in_channels * s.kernel_height * s.kernel_width;
}

// In multiply-adds of a vector: turning a matrix in blocks of 8 x 8, 20 to 24 cycles each.
double turning_cost(int64_t rows, int64_t columns) {
  return 44.0 * static_cast<double>(ceil_div(rows, kLanes) * columns) / 8;
}

// to[j * to_stride + i] = from[i * columns + j]
void turn(const float* from, int64_t rows, int64_t columns, float* to, int64_t to_stride) {
  for (int64_t i = 0; i < rows; i += kLanes) {
    const int64_t height = std::min<int64_t>(kLanes, rows - i);
    for (int64_t j = 0; j < columns; j += kLanes) {
      const int64_t width = std::min<int64_t>(kLanes, columns - j);
      Vector block[kLanes] = {};
      for (int64_t l = 0; l < height; ++l) block[l] = load_part(from + (i + l) * columns + j, width);
      transpose(block);
      for (int64_t l = 0; l < width; ++l) store_part(to + (j + l) * to_stride + i, block[l], height);
    }
  }
}

// What the threads share: the padded images and offsets in them.
struct Plan {
  PaddedImages images;
  const int64_t* steps;  // of each step of the sum
  const int64_t* taps;   // of each tap
};

// Steps are every `step`-th place of a row; their offsets are times `scale`.
Plan make_plan(const Args& args, int64_t step, int64_t scale, int64_t columns_beyond) {
  const Conv2dShape& s = args.shape;
  const PaddedImages images{.data = floats(args.x),
                            .channels = s.in_channels,
                            .height = s.in_height,
                            .width = s.in_width,
                            .above = s.pad_height,
                            .left = s.pad_width,
                            .padded_height = (s.out_height - 1) * s.stride_height + s.kernel_height,
                            .padded_width = (s.out_width - 1) * s.stride_width + s.kernel_width + columns_beyond};
  const int64_t steps = s.out_height * ceil_div(s.out_width, step);
  auto* memory = reinterpret_cast<int64_t*>(scratch(Scratch::lists, 2 * (steps + taps_of(s))));
  int64_t* to = memory;
  for (int64_t row = 0; row < s.out_height; ++row)
    for (int64_t column = 0; column < s.out_width; column += step)
      *to++ = (row * s.stride_height * images.pitch() + column * s.stride_width) * scale;
  for (int64_t c = 0; c < s.in_channels; ++c)
    for (int64_t r = 0; r < s.kernel_height; ++r)
      for (int64_t t = 0; t < s.kernel_width; ++t) *to++ = c * images.plane() + r * images.pitch() + t;
  return {images, memory, memory + steps};
}

void put(float& to, float value, bool accumulate) {
  to = accumulate ? to + value : value;
}

// ---- the three ways: a tile's operands, from what a thread holds of one image ------------------------------------

class TapsByChannels {
 public:
  static int64_t rows(const Conv2dShape& s) { return taps_of(s); }
  static int64_t vectors(const Conv2dShape& s) { return ceil_div(s.out_channels, kLanes); }
  static int64_t steps(const Conv2dShape& s) { return places_of(s); }
  static double preparation(const Conv2dShape& s) { return turning_cost(s.out_channels, places_of(s)); }
  static Plan plan(const Args& args) { return make_plan(args, 1, 1, 0); }

  TapsByChannels(const Args& args, const Plan& plan)
      : args_(args),
        plan_(plan),
        padded_(plan.images),
        width_(vectors(args.shape) * kLanes),
        dy_(scratch(Scratch::row_block, places_of(args.shape) * width_)) {
    std::fill(dy_, dy_ + places_of(args.shape) * width_, 0.0f);
  }
  void take(int64_t n) {
    const int64_t places = places_of(args_.shape), channels = args_.shape.out_channels;
    image_ = padded_.get(n);
    turn(floats(args_.dy) + n * channels * places, channels, places, dy_, width_);
  }
  template <int kRows>
  RowsByTable<kRows> a(int64_t row, int64_t step) const {
    RowsByTable<kRows> result{{}, plan_.steps + step};
    for (int64_t r = 0; r < kRows; ++r)
      result.rows[r] = image_ + plan_.taps[std::min(row + r, taps_of(args_.shape) - 1)];
    return result;
  }
  template <int kVectors>
  Panel<kVectors> b(int64_t vector, int64_t step) const {
    return {dy_ + step * width_ + vector * kLanes, width_};
  }
  static void finish_row(const Args& args, int64_t tap, const float* sums) {
    for (int64_t k = 0; k < args.shape.out_channels; ++k)
      put(floats(args.dweight)[k * taps_of(args.shape) + tap], sums[k], args.accumulate);
  }

 private:
  const Args& args_;
  const Plan& plan_;
  PaddedImage padded_;
  const float* image_ = nullptr;
  int64_t width_;
  float* dy_;  // places x width
};

class ChannelsByTaps {
 public:
  static int64_t rows(const Conv2dShape& s) { return s.out_channels; }
  static int64_t vectors(const Conv2dShape& s) { return s.kernel_height * run_vectors(s); }
  static int64_t steps(const Conv2dShape& s) { return places_of(s); }
  static double preparation(const Conv2dShape& s) { return turning_cost(s.in_channels, s.in_height * s.in_width); }
  static Plan plan(const Args& args) { return make_plan(args, 1, args.shape.in_channels, 0); }

  ChannelsByTaps(const Args& args, const Plan& plan)
      : args_(args),
        plan_(plan),
        padded_(plan.images),
        // A run's last vector may read on beyond it.
        image_(scratch(Scratch::row_block, plan.images.size() + kLanes)) {
    std::fill(image_ + plan.images.size(), image_ + plan.images.size() + kLanes, 0.0f);
  }
  void take(int64_t n) {
    const Conv2dShape& s = args_.shape;
    dy_ = floats(args_.dy) + n * s.out_channels * places_of(s);
    turn(padded_.get(n), s.in_channels, plan_.images.plane(), image_, s.in_channels);
  }
  template <int kRows>
  RowsInPlace<kRows> a(int64_t row, int64_t step) const {
    RowsInPlace<kRows> result{{}, 1};
    for (int64_t r = 0; r < kRows; ++r)
      result.rows[r] = dy_ + std::min(row + r, args_.shape.out_channels - 1) * places_of(args_.shape) + step;
    return result;
  }
  template <int kVectors>
  VectorsByTable<kVectors> b(int64_t vector, int64_t step) const {
    const int64_t run = run_vectors(args_.shape), pitch = plan_.images.pitch() * args_.shape.in_channels;
    VectorsByTable<kVectors> result{{}, plan_.steps + step};
    for (int64_t v = 0; v < kVectors; ++v)
      result.data[v] = image_ + (vector + v) / run * pitch + (vector + v) % run * kLanes;
    return result;
  }
  static void finish_row(const Args& args, int64_t k, const float* sums) {
    const Conv2dShape& s = args.shape;
    float* to = floats(args.dweight) + k * taps_of(s);
    for (int64_t c = 0; c < s.in_channels; ++c)
      for (int64_t r = 0; r < s.kernel_height; ++r)
        for (int64_t t = 0; t < s.kernel_width; ++t)
          put(*to++, sums[r * run_vectors(s) * kLanes + t * s.in_channels + c], args.accumulate);
  }

 private:
  // A row of the kernel on channels innermost, in vectors.
  static int64_t run_vectors(const Conv2dShape& s) { return ceil_div(s.kernel_width * s.in_channels, kLanes); }

  const Args& args_;
  const Plan& plan_;
  PaddedImage padded_;
  float* image_;  // plane x in_channels
  const float* dy_ = nullptr;
};

class AlongPlaces {
 public:
  static int64_t rows(const Conv2dShape& s) { return taps_of(s); }
  static int64_t vectors(const Conv2dShape& s) { return s.out_channels; }
  static int64_t steps(const Conv2dShape& s) { return s.out_height * ceil_div(s.out_width, kLanes); }
  static double preparation(const Conv2dShape& s) {
    return dense(s) ? 0.0 : 2.0 * static_cast<double>(s.out_channels * steps(s));
  }
  static Plan plan(const Args& args) {
    return make_plan(args, kLanes, 1, ceil_div(args.shape.out_width, kLanes) * kLanes - args.shape.out_width);
  }

  AlongPlaces(const Args& args, const Plan& plan)
      : args_(args),
        plan_(plan),
        padded_(plan.images),
        plane_(steps(args.shape) * kLanes),
        padded_dy_(dense(args.shape) ? nullptr : scratch(Scratch::row_block, args.shape.out_channels * plane_)) {
    if (padded_dy_) std::fill(padded_dy_, padded_dy_ + args.shape.out_channels * plane_, 0.0f);
  }
  void take(int64_t n) {
    const Conv2dShape& s = args_.shape;
    image_ = padded_.get(n);
    dy_ = floats(args_.dy) + n * s.out_channels * places_of(s);
    if (!padded_dy_) return;
    const int64_t pitch = plane_ / s.out_height;
    for (int64_t row = 0; row < s.out_channels * s.out_height; ++row)
      std::memcpy(padded_dy_ + row * pitch, dy_ + row * s.out_width, static_cast<size_t>(s.out_width) * sizeof(float));
    dy_ = padded_dy_;
  }
  template <int kRows>
  FactorsByTable<kRows> a(int64_t row, int64_t step) const {
    FactorsByTable<kRows> result{{}, plan_.steps + step};
    for (int64_t r = 0; r < kRows; ++r)
      result.data[r] = image_ + plan_.taps[std::min(row + r, taps_of(args_.shape) - 1)];
    return result;
  }
  template <int kVectors>
  VectorsInPlace<kVectors> b(int64_t vector, int64_t step) const {
    VectorsInPlace<kVectors> result{{}, kLanes};
    for (int64_t v = 0; v < kVectors; ++v) result.data[v] = dy_ + (vector + v) * plane_ + step * kLanes;
    return result;
  }
  static void finish_row(const Args& args, int64_t tap, const float* sums) {
    for (int64_t k = 0; k < args.shape.out_channels; ++k) {
      float total = 0;
      for (int64_t lane = 0; lane < kLanes; ++lane) total += sums[k * kLanes + lane];
      put(floats(args.dweight)[k * taps_of(args.shape) + tap], total, args.accumulate);
    }
  }

 private:
  static bool dense(const Conv2dShape& s) { return s.out_width % kLanes == 0; }

  const Args& args_;
  const Plan& plan_;
  PaddedImage padded_;
  const float* image_ = nullptr;
  const float* dy_ = nullptr;
  int64_t plane_;
  float* padded_dy_;  // rows filled up with zeros; null: not needed
};

// ---- what the three have in common -------------------------------------------------------------------------------

template <class Operands, int kRows, int kVectors>
struct Way {
  static constexpr int64_t kBlockSteps = 256;
  static constexpr int64_t kMostChunks = 16, kMostPartial = 1 << 20;  // floats of all chunks' sums

  // A tile with few sums waits for each multiply-add: 8 are done in the time of one.
  static int64_t tile_cost(int64_t vectors) { return vectors ? std::max<int64_t>(8, kRows * vectors) : 0; }
  static double cost(const Conv2dShape& s) {
    const int64_t tiles = ceil_div(Operands::rows(s), kRows), vectors = Operands::vectors(s);
    const int64_t step_cost = tiles * (vectors / kVectors * tile_cost(kVectors) + tile_cost(vectors % kVectors));
    return static_cast<double>(step_cost * Operands::steps(s) + 2 * tiles * kRows * vectors) + Operands::preparation(s);
  }

  static void run(Stream& stream, const Args& args) {
    const Conv2dShape& s = args.shape;
    const Plan plan = Operands::plan(args);
    const int64_t rows = Operands::rows(s), tiles = ceil_div(rows, kRows), width = Operands::vectors(s) * kLanes;
    const int64_t size = tiles * kRows * width;
    const int64_t chunks = std::clamp<int64_t>(kMostPartial / size, 1, std::min(kMostChunks, s.batch));
    const int64_t slices = std::min(tiles, ceil_div(kMostChunks, chunks));
    float* partial = scratch(Scratch::partial, chunks * size);
    stream.pool.share_out(chunks * slices, 1, [&](int64_t begin, int64_t end) {
      Operands operands(args, plan);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t chunk = i / slices, slice = i % slices, first = s.batch * chunk / chunks;
        for (int64_t n = first; n < s.batch * (chunk + 1) / chunks; ++n) {
          operands.take(n);
          add_image(operands, s, tiles * slice / slices, tiles * (slice + 1) / slices, partial + chunk * size,
                    n == first);
        }
      }
    });
    stream.pool.parallel_for(rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float* sums = partial + row * width;
        for (int64_t chunk = 1; chunk < chunks; ++chunk)
          for (int64_t j = 0; j < width; j += kLanes) store(sums + j, load(sums + j) + load(sums + chunk * size + j));
        Operands::finish_row(args, row, sums);
      }
    });
  }

 private:
  // sums: rows of all tiles x width; fresh: nothing in it yet.
  static void add_image(const Operands& operands, const Conv2dShape& s, int64_t first_tile, int64_t end_tile,
                        float* sums, bool fresh) {
    const int64_t vectors = Operands::vectors(s), whole = vectors / kVectors * kVectors;
    for (int64_t step = 0; step < Operands::steps(s); step += kBlockSteps) {
      const int64_t depth = std::min(kBlockSteps, Operands::steps(s) - step);
      const bool zero = fresh && step == 0;
      for (int64_t vector = 0; vector < whole; vector += kVectors)
        add_column<kVectors>(operands, vectors, vector, first_tile, end_tile, step, depth, sums, zero);
      if constexpr (kVectors > 1)
        if (vectors - whole == 1)
          add_column<1>(operands, vectors, whole, first_tile, end_tile, step, depth, sums, zero);
      if constexpr (kVectors > 2)
        if (vectors - whole == 2)
          add_column<2>(operands, vectors, whole, first_tile, end_tile, step, depth, sums, zero);
    }
  }

  template <int kCount>
  [[gnu::noinline]] static void add_column(const Operands& operands, int64_t vectors, int64_t vector,
                                           int64_t first_tile, int64_t end_tile, int64_t step, int64_t depth,
                                           float* sums_of, bool zero) {
    const auto b = operands.template b<kCount>(vector, step);
    for (int64_t tile = first_tile; tile < end_tile; ++tile) {
      float* to = sums_of + (tile * kRows * vectors + vector) * kLanes;
      Vector sums[kRows][kCount] = {};
      if (!zero) load_tile(sums, to, vectors * kLanes);
      multiply_add(sums, operands.template a<kRows>(tile * kRows, step), b, depth);
      store_tile(to, vectors * kLanes, sums);
    }
  }
};

struct Choice {
  double cost = 0;
  void (*run)(Stream&, const Args&) = nullptr;

  template <class Operands>
  void consider(const Conv2dShape& s) {
    consider_way<Way<Operands, 6 * kRowFactor, 2>>(s);
    consider_way<Way<Operands, 5 * kRowFactor, 2>>(s);
    consider_way<Way<Operands, 4 * kRowFactor, 3>>(s);
  }

 private:
  template <class W>
  void consider_way(const Conv2dShape& s) {
    const double cost_of_way = W::cost(s);
    if (!run || cost_of_way < cost) {
      cost = cost_of_way;
      run = W::run;
    }
  }
};

}  // namespace

void conv2d_backward_filter(Stream& stream, const Conv2dBackwardFilterArgs& args) {
  require_f32(args.dtype, "conv2d_backward_filter");
  const Conv2dShape& s = args.shape;
  if (covers_image(s)) return gemm(stream, product_of(args));
  const int64_t weights = s.out_channels * taps_of(s);
  if (weights == 0) return;
  if (s.batch == 0 || places_of(s) == 0) {
    if (!args.accumulate) std::fill_n(floats(args.dweight), weights, 0.0f);
    return;
  }
  Choice choice;
  choice.consider<TapsByChannels>(s);
  choice.consider<ChannelsByTaps>(s);
  if (s.stride_width == 1) choice.consider<AlongPlaces>(s);
  if (can_filter_minimally(s) && minimal_filter_gradient_cost(s) < choice.cost)
    return minimal_filter_gradient(stream, args);
  choice.run(stream, args);
}

}  // namespace cairn::simd
