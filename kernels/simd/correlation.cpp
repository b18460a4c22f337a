// Two ways to lay the register tile over a correlation, neither of which unrolls the image into columns:
//
//   channels x places:  rows of a tile are output channels (broadcast weights), vectors are neighbouring places of an
//                       output row (loaded from the padded image). Any number of channels fills its tiles well; rows
//                       of the output whose length is no multiple of the vector leave lanes idle.
//   places x channels:  rows are places (broadcast from the padded image), vectors are output channels (packed
//                       weights). Rows of any length and any step will do; channels should be a multiple of the
//                       vector; the sums come out with channels innermost and are transposed in blocks.
//
// Both read the image through a table: step p of the depth, one of (channel, row, column) of the kernel, lies
// table[p] behind the image's value under the kernel's corner. The way and the tile are chosen by the multiply-adds
// they spend, idle lanes included; where fewer still will do (winograd.cpp), that is the way. Threads share images and,
// within an image, tiles of channels.
#include "kernels/simd/correlation.h"

#include "kernels/simd/register_tile.h"
#include "kernels/simd/transpose.h"
#include "kernels/simd/winograd.h"

namespace cairn::simd {
namespace {

// Where the calling thread put the tables that all threads read: offsets of the depth's steps in the image; offsets in
// the image and in the output of each place (or vector of places), and how many of a vector's lanes count.
struct Tables {
  int64_t* steps;
  int64_t* image;
  int64_t* output;
  int64_t* lanes;
};

Tables make_tables(const Correlation& c, int64_t places) {
  const int64_t depth = c.depth();
  auto* memory = reinterpret_cast<int64_t*>(scratch(Scratch::lists, 2 * (depth + 3 * places)));
  const Tables tables{memory, memory + depth, memory + depth + places, memory + depth + 2 * places};
  int64_t* step = tables.steps;
  for (int64_t channel = 0; channel < c.images.channels; ++channel)
    for (int64_t r = 0; r < c.kernel_height; ++r)
      for (int64_t s = 0; s < c.kernel_width; ++s) *step++ = channel * c.images.plane() + r * c.images.pitch() + s;
  return tables;
}

int64_t packed_floats(const Correlation& c, int64_t width) {
  return ceil_div(c.out_channels, width) * c.depth() * width;
}

// packed[o / width][p][o % width] = weight[o,p], zeros beyond the last output channel.
void pack_weight(Stream& stream, const Correlation& c, int64_t width, float* packed) {
  const int64_t depth = c.depth(), panels = ceil_div(c.out_channels, width);
  stream.pool.parallel_for(panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      float* to = packed + panel * depth * width;
      const int64_t valid = std::min(width, c.out_channels - panel * width);
      for (int64_t channel = 0; channel < c.images.channels; ++channel)
        for (int64_t r = 0; r < c.kernel_height; ++r)
          for (int64_t s = 0; s < c.kernel_width; ++s) {
            const float* from = c.weight + panel * width * c.weight_strides[0] + channel * c.weight_strides[1] +
                                r * c.weight_strides[2] + s * c.weight_strides[3];
            int64_t j = 0;
            for (; j < valid; ++j) *to++ = from[j * c.weight_strides[0]];
            for (; j < width; ++j) *to++ = 0.0f;
          }
    }
  });
}

// Packed before, or now.
const float* packed_weight(Stream& stream, const Correlation& c, int64_t width) {
  if (c.prepared) return c.prepared;
  float* packed = scratch(Scratch::weight, packed_floats(c, width));
  pack_weight(stream, c, width, packed);
  return packed;
}

// What becomes of a vector of sums of one output channel. first, last: which part of the depth they are of.
struct Finish {
  const float* output;
  const float* add;  // what lies at an output's place here comes on top; or null
  Vector bias;
  bool relu;
  Finish(const Correlation& c, int64_t channel, bool first, bool last)
      : output(c.output),
        add(first ? c.add : c.output),
        bias(splat(last && c.bias ? c.bias[channel] : 0.0f)),
        relu(last && c.relu) {}
  Vector operator()(Vector sums) const { return relu ? simd::relu(sums + bias) : sums + bias; }
  const float* added(const float* to) const { return add + (to - output); }
  void store_to(float* to, Vector sums, int64_t lanes) const {
    if (add) sums += load_part(added(to), lanes);
    store_part(to, (*this)(sums), lanes);
  }
};

// Steps of the depth taken at a time, at most `most`, in parts as even as they can be.
int64_t block_depth(int64_t depth, int64_t most) {
  return ceil_div(depth, std::max<int64_t>(1, ceil_div(depth, most)));
}

// What beginning and ending a tile costs, in multiply-adds of a vector; spread over the depth.
double tile_cost(const Correlation& c, int64_t tiles) {
  return 60.0 * static_cast<double>(tiles) / static_cast<double>(c.depth() + 1);
}

// Calls body(image, first, end) for each image's tiles [first, end), with the work shared out over the pool.
template <class Body>
void for_images(Stream& stream, const Correlation& c, int64_t tiles, const Body& body) {
  stream.pool.share_out(c.batch * tiles, 1, [&](int64_t begin, int64_t end) {
    PaddedImage image(c.images);
    for (int64_t n = begin / tiles; n * tiles < end; ++n)
      body(n, image.get(n), std::max<int64_t>(0, begin - n * tiles), std::min(tiles, end - n * tiles));
  });
}

template <int kRows, int kVectors>
struct ChannelsByPlaces {
  static constexpr int64_t kBlockDepth = 512;   // a tile's weights: 12 KiB
  static constexpr int64_t kBlockVectors = 48;  // of an image, before the next tile of channels

  static constexpr int64_t kPackedWidth = kRows;
  static constexpr bool kAlongRows = true;

  static int64_t vectors(const Correlation& c) { return c.out_height * ceil_div(c.out_width, kLanes); }
  static double cost(const Correlation& c) {
    const int64_t tiles = ceil_div(c.out_channels, kRows) * ceil_div(vectors(c), kVectors);
    return static_cast<double>(tiles * kRows * kVectors) + tile_cost(c, tiles);
  }

  static void run(Stream& stream, const Correlation& c) {
    const int64_t depth = c.depth(), block = block_depth(depth, kBlockDepth);
    const int64_t tiles = ceil_div(c.out_channels, kRows), total = vectors(c);
    const float* weight = packed_weight(stream, c, kPackedWidth);
    const Tables tables = make_tables(c, ceil_div(total, kVectors) * kVectors);
    for (int64_t i = 0, row = 0; row < c.out_height; ++row)
      for (int64_t column = 0; column < c.out_width; column += kLanes, ++i) {
        tables.image[i] = row * c.step_height * c.images.pitch() + column;
        tables.output[i] = row * c.output_strides[2] + column;
        tables.lanes[i] = std::min<int64_t>(kLanes, c.out_width - column);
      }
    for (int64_t i = total; i % kVectors; ++i) {
      tables.image[i] = tables.image[total - 1];
      tables.lanes[i] = 0;
    }
    for_images(stream, c, tiles, [&](int64_t n, const float* image, int64_t first_tile, int64_t end_tile) {
      float* output = c.output + n * c.output_strides[0];
      int64_t p = 0;
      do {
        const int64_t steps = std::min(block, depth - p);
        for (int64_t first = 0; first < total; first += kBlockVectors)
          for (int64_t tile = first_tile; tile < end_tile; ++tile)
            for (int64_t i = first; i < std::min(total, first + kBlockVectors); i += kVectors)
              multiply_tile(c, image, tables, i, weight + (tile * depth + p) * kRows, p, steps, tile * kRows, output);
        p += steps;
      } while (p < depth);
    });
  }

 private:
  // The sums of the vectors from i on and of kRows channels. Not inlined, as the others of its kind are not: the
  // compilers keep the sums in registers only where little else wants them.
  [[gnu::noinline]] static void multiply_tile(const Correlation& c, const float* image, const Tables& tables, int64_t i,
                                              const float* weight, int64_t p, int64_t steps, int64_t channel,
                                              float* output) {
    VectorsByTable<kVectors> b{{}, tables.steps + p};
    for (int v = 0; v < kVectors; ++v) b.data[v] = image + tables.image[i + v];
    Vector sums[kRows][kVectors] = {};
    multiply_add(sums, PackedRows<kRows>{weight}, b, steps);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if (channel + r >= c.out_channels) break;
      const Finish finish(c, channel + r, p == 0, p + steps == c.depth());
      float* to = output + (channel + r) * c.output_strides[1];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v)
        if (tables.lanes[i + v]) finish.store_to(to + tables.output[i + v], sums[r][v], tables.lanes[i + v]);
    }
  }
};

template <int kRows, int kVectors>
struct PlacesByChannels {
  static constexpr int64_t kBlockDepth = 160;   // a panel of weights: 10 KiB
  static constexpr int64_t kBlockPlaces = 240;  // their sums: 15 KiB
  static constexpr int64_t kWidth = kVectors * kLanes, kPackedWidth = kWidth;
  static constexpr bool kAlongRows = false;
  static_assert(kBlockPlaces % kRows == 0 && kBlockPlaces % kLanes == 0);

  // With the transposition of the sums: 20 to 24 cycles a block of 8 x 8, as many as 44 multiply-adds of a vector.
  static double cost(const Correlation& c) {
    const int64_t places = c.out_height * c.out_width, panels = ceil_div(c.out_channels, kWidth);
    const int64_t tiles = ceil_div(places, kRows) * panels;
    return static_cast<double>(tiles * kRows * kVectors) + tile_cost(c, tiles) +
           44.0 / 8 * static_cast<double>(places * panels * kVectors) / static_cast<double>(c.depth() + 1);
  }

  static void run(Stream& stream, const Correlation& c) {
    const int64_t depth = c.depth(), block = block_depth(depth, kBlockDepth);
    const int64_t panels = ceil_div(c.out_channels, kWidth), places = c.out_height * c.out_width;
    const float* weight = packed_weight(stream, c, kPackedWidth);
    const Tables tables = make_tables(c, ceil_div(places, kRows) * kRows);
    for (int64_t i = 0, row = 0; row < c.out_height; ++row)
      for (int64_t column = 0; column < c.out_width; ++column, ++i) {
        tables.image[i] = row * c.step_height * c.images.pitch() + column * c.step_width;
        tables.output[i] = row * c.output_strides[2] + column * c.output_strides[3];
      }
    for (int64_t i = places; i % kRows; ++i) tables.image[i] = tables.image[places - 1];
    for_images(stream, c, panels, [&](int64_t n, const float* image, int64_t first_panel, int64_t end_panel) {
      float* sums_of = scratch(Scratch::row_block, kBlockPlaces * kWidth);  // [place][channel]
      for (int64_t first = 0; first < places; first += kBlockPlaces)
        for (int64_t panel = first_panel; panel < end_panel; ++panel) {
          const int64_t count = std::min(kBlockPlaces, places - first);
          int64_t p = 0;
          do {
            const int64_t steps = std::min(block, depth - p);
            for (int64_t i = 0; i < count; i += kRows)
              multiply_tile(image, tables, first + i, weight + (panel * depth + p) * kWidth, p, steps,
                            sums_of + i * kWidth);
            p += steps;
          } while (p < depth);
          for (int64_t channel = 0; channel < std::min(kWidth, c.out_channels - panel * kWidth); channel += kLanes)
            store_block(c, tables, first, count, sums_of + channel, panel * kWidth + channel,
                        c.output + n * c.output_strides[0]);
        }
    });
  }

 private:
  [[gnu::noinline]] static void multiply_tile(const float* image, const Tables& tables, int64_t place,
                                              const float* weight, int64_t p, int64_t steps, float* sums_of) {
    RowsByTable<kRows> a{{}, tables.steps + p};
    for (int r = 0; r < kRows; ++r) a.rows[r] = image + tables.image[place + r];
    Vector sums[kRows][kVectors] = {};
    if (p > 0) load_tile(sums, sums_of, kWidth);
    multiply_add(sums, a, Panel<kVectors>{weight, kWidth}, steps);
    store_tile(sums_of, kWidth, sums);
  }

  // Stores the sums of `count` places and kLanes channels.
  static void store_block(const Correlation& c, const Tables& tables, int64_t first, int64_t count,
                          const float* sums_of, int64_t first_channel, float* output) {
    const int64_t channels = std::min<int64_t>(kLanes, c.out_channels - first_channel);
    const bool dense = c.output_strides[3] == 1 && c.output_strides[2] == c.out_width;
    for (int64_t i = 0; i < count; i += kLanes) {
      Vector block[kLanes];
      for (int j = 0; j < kLanes; ++j) block[j] = load(sums_of + (i + j) * kWidth);
      transpose(block);
      const int64_t lanes = std::min<int64_t>(kLanes, count - i), place = first + i;
      for (int64_t j = 0; j < channels; ++j) {
        const Finish finish(c, first_channel + j, true, true);
        float* to = output + (first_channel + j) * c.output_strides[1];
        if (dense) {
          finish.store_to(to + place, block[j], lanes);
        } else {
          const int64_t* offsets = tables.output + place;
          float apart[kLanes] = {};
          if (finish.add)
            for (int64_t lane = 0; lane < lanes; ++lane) apart[lane] = finish.added(to)[offsets[lane]];
          store(apart, finish(block[j] + load(apart)));
          for (int64_t lane = 0; lane < lanes; ++lane) to[offsets[lane]] = apart[lane];
        }
      }
    }
  }
};

// The cheapest of the ways.
struct Choice {
  double cost = 0;  // for one image, in multiply-adds of a vector
  void (*run)(Stream&, const Correlation&) = nullptr;
  int64_t (*prepared_floats)(const Correlation&) = nullptr;
  void (*pack)(Stream&, const Correlation&, float* to) = nullptr;
  bool along_rows = false;

  void consider(const Choice& other) {
    if (!run || other.cost < cost) *this = other;
  }
  template <class Way>
  void consider(const Correlation& c) {
    consider({.cost = Way::cost(c) * static_cast<double>(c.depth()),
              .run = Way::run,
              .prepared_floats = [](const Correlation& each) { return packed_floats(each, Way::kPackedWidth); },
              .pack = [](Stream& stream, const Correlation& each,
                         float* to) { pack_weight(stream, each, Way::kPackedWidth, to); },
              .along_rows = Way::kAlongRows});
  }
};

// prepared: the weight is packed beforehand, which then costs nothing.
Choice choose(const Correlation& c, bool prepared) {
  Choice choice;
  choice.consider<PlacesByChannels<6 * kRowFactor, 2>>(c);
  choice.consider<PlacesByChannels<5 * kRowFactor, 2>>(c);
  choice.consider<PlacesByChannels<4 * kRowFactor, 3>>(c);
  if (c.step_width == 1 && c.output_strides[3] == 1) {
    choice.consider<ChannelsByPlaces<6 * kRowFactor, 2>>(c);
    choice.consider<ChannelsByPlaces<5 * kRowFactor, 2>>(c);
    choice.consider<ChannelsByPlaces<4 * kRowFactor, 3>>(c);
  }
  if (can_filter_minimally(c))
    choice.consider({.cost = minimal_filtering_cost(c, prepared),
                     .run = filter_minimally,
                     .prepared_floats = minimal_filter_floats,
                     .pack = transform_filters});
  return choice;
}

bool is_empty(const Correlation& c) {
  return c.batch == 0 || c.out_channels == 0 || c.out_height <= 0 || c.out_width <= 0;
}

// A kernel of one place that steps over every one of them sees an image's rows as one: a vector may reach over a row's
// end, and short rows leave no lanes idle.
void join_rows(Correlation& c) {
  const bool one_place = c.kernel_height == 1 && c.kernel_width == 1 && c.step_height == 1 && c.step_width == 1;
  const bool whole = c.images.above == 0 && c.images.left == 0 && c.out_height == c.images.height &&
                     c.out_width == c.images.width && c.output_strides[3] == 1 && c.output_strides[2] == c.out_width;
  if (!one_place || !whole) return;
  c.images.width = c.out_width = c.output_strides[2] = c.out_height * c.out_width;
  c.images.height = c.out_height = 1;
}

}  // namespace

void correlate(Stream& stream, Correlation c) {
  if (is_empty(c)) return;
  join_rows(c);
  const Choice choice = choose(c, c.prepared != nullptr);
  c.images.padded_height = (c.out_height - 1) * c.step_height + c.kernel_height;
  c.images.padded_width = (c.out_width - 1) * c.step_width + c.kernel_width;
  // The last vector of a row reads on to its end.
  if (choice.along_rows) c.images.padded_width += ceil_div(c.out_width, kLanes) * kLanes - c.out_width;
  choice.run(stream, c);
}

int64_t prepare_correlation(Stream& stream, Correlation c, float* to) {
  if (is_empty(c)) return 0;
  join_rows(c);
  const Choice choice = choose(c, true);
  if (to) choice.pack(stream, c, to);
  return choice.prepared_floats(c);
}

double correlation_cost(const Correlation& c) {
  return choose(c, false).cost;
}

}  // namespace cairn::simd
