// dx[c, p + r, q + s] += sum over k of weight[k,c,r,s] * dy[k,p,q], tap by tap. A tile's rows are channels of x
// (broadcast weights), its vectors neighbouring places of dy, its depth the channels of dy; its sums are added to as
// many channels of dx, so that no two of them meet in one place, and the next tap comes back there only after all rows.
// A vector that lies in one row of dy is added as such, another in pieces. A correlation over a padded dy spends
// multiply-adds on the padding, for a kernel of 5 on 8 x 8 places more than half of all; here there are none, but sums
// are added in memory.
#include "kernels/simd/scatter.h"

#include <cstring>

#include "kernels/simd/register_tile.h"
#include "kernels/simd/team.h"

namespace cairn::simd {
namespace {

int64_t places_of(const Conv2dShape& s) {
  return s.out_height * s.out_width;
}
int64_t vectors_of(const Conv2dShape& s) {
  return ceil_div(places_of(s), kLanes);
}

// What is added to: a padded image, or dx itself where there is no padding.
struct Target {
  int64_t height, width;
  bool in_place;
  explicit Target(const Conv2dShape& s)
      : height((s.out_height - 1) * s.stride_height + s.kernel_height), width(s.out_width - 1 + s.kernel_width) {
    in_place = s.pad_height == 0 && s.pad_width == 0 && height <= s.in_height && width <= s.in_width;
    if (!in_place) return;
    height = s.in_height;
    width = s.in_width;
  }
};

// A vector of places of dy: where it begins, and where in a plane of the target its sums belong.
struct Places {
  int64_t first;   // the plane's last vector ends with the plane
  int64_t done;    // lanes that the one before has added
  int64_t target;  // offset for the first tap, or -1: more than one row
};

// Filled up to a multiple of `group` with vectors that add nothing.
const Places* make_places(const Conv2dShape& s, const Target& target, int64_t group) {
  const int64_t count = ceil_div(vectors_of(s), group) * group;
  auto* places = reinterpret_cast<Places*>(scratch(Scratch::lists, count * 6));
  for (int64_t v = 0; v < count; ++v) {
    const int64_t first = std::min(v * kLanes, places_of(s) - kLanes), column = first % s.out_width;
    const int64_t done = std::min<int64_t>(kLanes, v * kLanes - first);
    const bool whole = done == 0 && column + kLanes <= s.out_width;
    places[v] = {first, done, whole ? first / s.out_width * s.stride_height * target.width + column : -1};
  }
  return places;
}

// The lanes from `done` on, row by row.
[[gnu::noinline]] void add_pieces(const Conv2dShape& s, const Places& places, int64_t width, Vector sums, float* to) {
  float lanes[kLanes];
  store(lanes, sums);
  for (int64_t lane = places.done; lane < kLanes;) {
    const int64_t row = (places.first + lane) / s.out_width, column = (places.first + lane) % s.out_width;
    float* place = to + row * s.stride_height * width + column;
    const int64_t end = std::min<int64_t>(kLanes, lane + s.out_width - column);
    for (; lane < end; ++lane) *place++ += lanes[lane];
  }
}

template <int kRows, int kVectors>
struct Way {
  // With what beginning a tile and adding its sums costs.
  static double cost(const Conv2dShape& s) {
    const int64_t tiles =
        ceil_div(s.in_channels, kRows) * s.kernel_height * s.kernel_width * ceil_div(vectors_of(s), kVectors);
    const int64_t adding = s.out_width % kLanes == 0 ? 4 : 60;
    return static_cast<double>(tiles * (kRows * kVectors * (s.out_channels + adding) + 60));
  }

  static void run(Stream& stream, const Conv2dBackwardDataArgs& args) {
    const Conv2dShape& s = args.shape;
    const Target target(s);
    const int64_t plane = target.height * target.width, in_plane = s.in_height * s.in_width;
    const int64_t tiles = ceil_div(s.in_channels, kRows), taps = s.kernel_height * s.kernel_width;
    const float* weight = pack_weight(stream, args);
    const Places* places = make_places(s, target, kVectors);
    stream.pool.share_out(s.batch * tiles, 1, [&](int64_t begin, int64_t end) {
      float* padded = target.in_place ? nullptr : scratch(Scratch::image, kRows * plane);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i / tiles, first = i % tiles * kRows;
        const int64_t channels = std::min<int64_t>(kRows, s.in_channels - first);
        float* dx = floats(args.dx) + (n * s.in_channels + first) * in_plane;
        float* sums = padded ? padded : dx;
        if (padded || !args.accumulate) std::fill(sums, sums + channels * plane, 0.0f);
        const float* dy = floats(args.dy) + n * s.out_channels * places_of(s);
        for (int64_t r = 0; r < s.kernel_height; ++r)
          for (int64_t t = 0; t < s.kernel_width; ++t)
            for (int64_t v = 0; v < vectors_of(s); v += kVectors)
              add_tile(s, dy, weight + (i % tiles * taps + r * s.kernel_width + t) * s.out_channels * kRows, places + v,
                       sums + r * target.width + t, target.width, plane, channels);
        if (padded) crop(args, target, padded, channels, dx);
      }
    });
  }

 private:
  // packed[tile][tap][k][row]
  static const float* pack_weight(Stream& stream, const Conv2dBackwardDataArgs& args) {
    const Conv2dShape& s = args.shape;
    const int64_t taps = s.kernel_height * s.kernel_width, tiles = ceil_div(s.in_channels, kRows);
    float* packed = scratch(Scratch::weight, tiles * taps * s.out_channels * kRows);
    stream.pool.parallel_for(tiles * taps, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float* to = packed + i * s.out_channels * kRows;
        for (int64_t k = 0; k < s.out_channels; ++k)
          for (int64_t row = 0; row < kRows; ++row) {
            const int64_t c = i / taps * kRows + row;
            *to++ = c < s.in_channels ? floats(args.weight)[(k * s.in_channels + c) * taps + i % taps] : 0.0f;
          }
      }
    });
    return packed;
  }

  // The sums of some vectors of places, added to `channels` planes of `to`.
  [[gnu::noinline]] static void add_tile(const Conv2dShape& s, const float* dy, const float* weight,
                                         const Places* places, float* to, int64_t width, int64_t plane,
                                         int64_t channels) {
    VectorsInPlace<kVectors> b{{}, places_of(s)};
    for (int v = 0; v < kVectors; ++v) b.data[v] = dy + places[v].first;
    Vector sums[kRows][kVectors] = {};
    multiply_add(sums, PackedRows<kRows>{weight}, b, s.out_channels);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if (r >= channels) break;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        float* place = to + r * plane;
        if (places[v].target >= 0)
          store(place + places[v].target, load(place + places[v].target) + sums[r][v]);
        else
          add_pieces(s, places[v], width, sums[r][v], place);
      }
    }
  }

  static void crop(const Conv2dBackwardDataArgs& args, const Target& target, const float* padded, int64_t channels,
                   float* dx) {
    const Conv2dShape& s = args.shape;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t h = 0; h < s.in_height; ++h)
        for (int64_t w = 0; w < s.in_width; ++w) {
          const int64_t row = h + s.pad_height, column = w + s.pad_width;
          const bool reached = row < target.height && column < target.width;
          const float value = reached ? padded[(c * target.height + row) * target.width + column] : 0.0f;
          float& to = dx[(c * s.in_height + h) * s.in_width + w];
          to = args.accumulate ? to + value : value;
        }
  }
};

struct Choice {
  double cost = 0;
  void (*run)(Stream&, const Conv2dBackwardDataArgs&) = nullptr;

  template <class W>
  void consider(const Conv2dShape& s) {
    const double cost_of_way = W::cost(s);
    if (!run || cost_of_way < cost) *this = {cost_of_way, W::run};
  }
};

Choice choose(const Conv2dShape& s) {
  Choice choice;
  choice.consider<Way<6 * kRowFactor, 2>>(s);
  choice.consider<Way<5 * kRowFactor, 2>>(s);
  choice.consider<Way<4 * kRowFactor, 3>>(s);
  return choice;
}

}  // namespace

bool can_scatter(const Conv2dShape& s) {
  return s.stride_width == 1 && places_of(s) >= kLanes && s.batch > 0 && s.in_channels > 0 && s.out_channels > 0 &&
         s.kernel_height > 0 && s.kernel_width > 0;
}

double scatter_cost(const Conv2dShape& s) {
  return choose(s).cost;
}

void scatter_backward_data(Stream& stream, const Conv2dBackwardDataArgs& args) {
  choose(args.shape).run(stream, args);
}

}  // namespace cairn::simd
