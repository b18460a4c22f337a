// What Winograd's convolution and its filter gradient share: how images are cut into tiles and tiles into blocks, and
// images with channels innermost. Not here: the transforms' arithmetic (winograd_transforms.h), the products.
//
//   tile    kSize x kSize results, which see F::kPoints x F::kPoints data
//   strip   some rows of tiles of one image, the whole image where that is small
//   block   one strip, or the strips of several small images: as many tiles as the second-level cache holds
//
// A transformed block is F::kProducts matrices of tiles x channels, one behind the other in a stride that is an odd
// number of cache lines, so that the places where a tile's values go do not fall into one set of the cache.
#pragma once

#include "kernels/simd/team.h"
#include "kernels/simd/winograd_transforms.h"

namespace cairn::simd::winograd {

constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return ceil_div(value, multiple) * multiple;
}

// Calls body(F) with the Filtering that a size of kernel stands for.
template <class Body>
decltype(auto) with_filtering(int64_t kernel, const Body& body) {
  return kernel == 3 ? body(Filtering<3>{}) : body(Filtering<5>{});
}

// What its transforms cost, with turning, in multiply-adds of a vector: measured in cycles, of which each has two, for
// a tile's data 400 a vector of channels and results 300, a filter 600, at 64 products.
struct TransformCosts {
  double data, results, filter;
  constexpr explicit TransformCosts(int products)
      : data(800.0 / 64 * products), results(600.0 / 64 * products), filter(1200.0 / 64 * products) {}
};

// Whether along one axis each result sees half of the kernel's places or more on the image itself. Rounding follows the
// largest values of a tile, so that a result with few terms would be less exact than its own size suggests.
constexpr bool sees_half_a_kernel(int64_t kernel, int64_t before, int64_t in, int64_t out) {
  return std::max(before, out - before + kernel - 1 - in) <= kernel / 2;
}

// Floats from one of a block's matrices to the next.
constexpr int64_t matrix_stride(int64_t tiles, int64_t channels) {
  return round_up(tiles * channels, 32) + 16;
}

struct Strip {
  int64_t image;
  int64_t first_row, rows;  // of tiles
  int64_t first_tile;       // within its block
};

struct Grid {
  int64_t batch;
  int64_t rows, columns;  // of tiles in an image
  int64_t strip_rows, strips, strips_of_block;

  // Blocks of about `most_tiles` tiles, at least one row of them.
  Grid(int64_t images, int64_t height, int64_t width, int64_t most_tiles)
      : batch(images), rows(ceil_div(height, kSize)), columns(ceil_div(width, kSize)) {
    const int64_t most_rows = std::max<int64_t>(1, most_tiles / columns);
    strips = ceil_div(rows, most_rows);
    strip_rows = ceil_div(rows, strips);
    strips = ceil_div(rows, strip_rows);
    strips_of_block = strips > 1 ? 1 : std::clamp<int64_t>(most_tiles / (rows * columns), 1, batch);
  }
  int64_t blocks() const { return ceil_div(batch * strips, strips_of_block); }
  int64_t tiles_of_block() const { return strips_of_block * strip_rows * columns; }  // at most

  // Calls body(strip) for each strip of a block and returns the block's number of tiles.
  template <class Body>
  int64_t for_strips(int64_t block, const Body& body) const {
    int64_t tiles = 0;
    for (int64_t i = block * strips_of_block; i < std::min(batch * strips, (block + 1) * strips_of_block); ++i) {
      const int64_t first_row = i % strips * strip_rows;
      const Strip strip{i / strips, first_row, std::min(strip_rows, rows - first_row), tiles};
      body(strip);
      tiles += strip.rows * columns;
    }
    return tiles;
  }
};

// Planes, one behind the other.
struct Planes {
  const float* data;
  int64_t channels, height, width;
};

// to[channel / kLanes][row][column][channel % kLanes] = the value at first_row + row, first_column + column, or 0
// outside the planes.
void turn_channels_innermost(const Planes& from, int64_t first_row, int64_t first_column, int64_t rows, int64_t columns,
                             float* to);

// Transforms the tiles of a strip turned as above, which lie kSize apart: value (i, j) of tile t and channel c
// goes to to[(i * points + j) * stride + t * channels + c]; channels: a multiple of kLanes.
template <class Transform>
void transform_strip(const Grid& grid, const Strip& strip, const float* turned, int64_t turned_rows,
                     int64_t turned_columns, int64_t channels, float* to, int64_t stride) {
  to += strip.first_tile * channels;
  for (int64_t row = 0; row < strip.rows; ++row)
    for (int64_t column = 0; column < grid.columns; ++column, to += channels)
      for (int64_t c = 0; c < channels; c += kLanes) {
        const float* from =
            turned + ((c / kLanes * turned_rows + row * kSize) * turned_columns + column * kSize) * kLanes;
        along_both_axes<Transform>(
            [&](int i, int j) { return load(from + (i * turned_columns + j) * kLanes); },
            [&](int i, int j, Vector v) { store(to + (i * Transform::kTo + j) * stride + c, v); });
      }
}

}  // namespace cairn::simd::winograd
