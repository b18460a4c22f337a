// Device code that the rungs from 5 on share: gemm's tiles (gemm/tile.h has the picture), filled from patches and
// gradients four elements at a time, and runs of results written to where images have them. Not here: the order in
// which a rung does these things.
//
// Four neighbouring places are four neighbouring elements of x where they lie in one row and the stride is 1, which is
// the usual case; what lies at an edge of x or goes over the end of a row is read one element at a time. A thread's
// four places, or its terms, move on by the same number from step to step: it divides once, at the beginning, and a
// term is one offset for all four places.
//
//   convolution:      a_tile[term][filter] from the weights, turned;  b_tile[term][place], straight
//   filter gradient:  a_tile[place][filter] from dy, turned;          b_tile[place][term], turned
//
// a is [k][m] in both, so that a thread owns neighbouring rows, and the threads beyond the last filter have none.
#pragma once

#include "kernels/vanilla/conv2d/patch.h"
#include "kernels/vanilla/gemm/split_k.h"
#include "kernels/vanilla/gemm/tile.h"

namespace cairn::CAIRN_VANILLA {

// Four neighbouring places.
struct PlaceGroup {
  Triple first;
  bool in_row;        // all four lie in one row, and the stride is 1
  bool in_image;      // all four lie in one image
  int h[4], w[4];     // the rows and columns of x that the tap (0, 0) looks at; beyond the last place no tap hits x
  int64_t offset[4];  // from x.data to channel 0 there
};
__device__ __forceinline__ PlaceGroup group_at(const Patches& x, const Triple& first) {
  PlaceGroup group;
  const bool exists = first.outer < x.batch;
  group.first = first;
  group.in_row = exists && first.inner + 3 < x.columns && x.step_w == 1;
  group.in_image = exists && first.middle * x.columns + first.inner + 3 < x.rows * x.columns;
  Triple place = first;
  CAIRN_UNROLL
  for (int i = 0; i < 4; ++i) {
    group.h[i] = place.outer < x.batch ? x.first_h + place.middle * x.step_h : x.height;
    group.w[i] = x.first_w + place.inner * x.step_w;
    group.offset[i] = static_cast<int64_t>(place.outer) * x.channels * x.height * x.width +
                      static_cast<int64_t>(group.h[i]) * x.width + group.w[i];
    advance_place(x, place, {0, 0, 1});
  }
  return group;
}

// patches[term] at the four places. No branch for each element: what a tap misses is read from x[0] and dropped.
__device__ __forceinline__ simt::Fragment<4> load_patch(const Patches& x, const Triple& term, const PlaceGroup& group) {
  simt::Fragment<4> four;
  const int tap = (term.outer * x.height + term.middle) * x.width + term.inner;
  const int w = group.w[0] + term.inner;
  if (group.in_row && w >= 0 && w + 3 < x.width && within(group.h[0] + term.middle, x.height) &&
      term.outer < x.channels) {
    four.load_first(x.data + group.offset[0] + tap, 4);
  } else {
    CAIRN_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int hit = int{within(group.h[i] + term.middle, x.height)} & int{within(group.w[i] + term.inner, x.width)} &
                      int{term.outer < x.channels};
      const float value = x.data[hit ? group.offset[i] + tap : 0];
      four.put(i, hit ? value : 0.0f);
    }
  }
  return four;
}

// dy[filter] at the four places.
__device__ __forceinline__ simt::Fragment<4> load_gradient(const FilterGradient& p, int filter,
                                                           const PlaceGroup& group) {
  simt::Fragment<4> four;
  if (filter >= p.m) {
    four.zero();
  } else if (group.in_image) {
    const int64_t plane = static_cast<int64_t>(group.first.outer) * p.m + filter;
    four.load_first(p.a.dy + (plane * p.b.rows + group.first.middle) * p.b.columns + group.first.inner, 4);
  } else {
    Triple place = group.first;
    CAIRN_UNROLL
    for (int i = 0; i < 4; ++i) {
      four.put(i, gradient(p, filter, place));
      advance_place(p.b, place, {0, 0, 1});
    }
  }
  return four;
}

// A thread's part in filling the tiles of a convolution: its four places stay, its terms move on.
template <class Shape>
struct ConvolutionLoader {
  using Own = Groups<Shape::kK, Shape::kN, Shape::kThreads>;
  static_assert(Shape::kK % Own::kStep == 0);  // so that a step of kK terms is a whole number of the thread's
  PlaceGroup places;
  Triple term, stride;
  FloatLines weight;

  __device__ __forceinline__ ConvolutionLoader(const Convolution& p, int n0, int thread)
      : places(group_at(p.patches, split_place(p.patches, n0 + Own::position(thread)))),
        term(split_term(p.patches, Own::line(thread, 0))),
        stride(split_term(p.patches, Own::kStep)),
        weight{p.weight, p.patches.terms(), p.filters, p.patches.terms(), false} {}

  // Both tiles of the next `depth` (a multiple of four) terms, from k0 on.
  __device__ __forceinline__ void load(const Convolution& p, float* a_tile, float* b_tile, int m0, int k0, int depth,
                                       int thread) {
    load_turned<TileForm{Shape::kM, Shape::kK, Shape::kStrideKM, Shape::kThreads}>(a_tile, weight,
                                                                                   {m0, k0, Shape::kM, depth}, thread);
    for (int line = Own::line(thread, 0); line < Shape::kK; line += Own::kStep) {
      if (line < depth)
        load_patch(p.patches, term, places).store(b_tile + line * Shape::kStrideB + Own::position(thread));
      advance_term(p.patches, term, stride);
    }
  }
};

// The same of a filter gradient: its terms stay, its four places, the same of both operands, move on.
template <class Shape>
struct FilterGradientLoader {
  using OwnA = Groups<Shape::kM / 4, Shape::kK, Shape::kThreads>;
  using OwnB = Groups<Shape::kN / 4, Shape::kK, Shape::kThreads>;
  Triple place, step, term, skip;
  int terms;  // of the tile; those of the last threads that compute are whole

  __device__ __forceinline__ FilterGradientLoader(const FilterGradient& p, int n0, int k_begin, int thread)
      : place(split_place(p.b, k_begin + OwnB::position(thread))),
        step(split_place(p.b, Shape::kK)),
        term(split_term(p.b, n0 + OwnB::line(thread, 0) * 4)),
        skip(split_term(p.b, OwnB::kStep * 4 - 4)),
        terms((p.n - n0 + Shape::kColumns - 1) / Shape::kColumns * Shape::kColumns) {
    if (terms > Shape::kN) terms = Shape::kN;
  }

  // Both tiles of the next kK places; zeros beyond the last one.
  __device__ __forceinline__ void load(const FilterGradient& p, float* a_tile, float* b_tile, int m0, int thread) {
    const PlaceGroup places = group_at(p.b, place);
    const int position = OwnB::position(thread);
    simt::Fragment<4> square[4];
    for (int line = OwnA::line(thread, 0) * 4; line < Shape::kM; line += OwnA::kStep * 4) {
      CAIRN_UNROLL
      for (int i = 0; i < 4; ++i) square[i] = load_gradient(p, m0 + line + i, places);
      simt::transpose(square);
      CAIRN_UNROLL
      for (int i = 0; i < 4; ++i) square[i].store(a_tile + (position + i) * Shape::kStrideKM + line);
    }
    Triple at = term;
    for (int line = OwnB::line(thread, 0) * 4; line < terms; line += OwnB::kStep * 4) {
      CAIRN_UNROLL
      for (int i = 0; i < 4; ++i) {
        square[i] = load_patch(p.b, at, places);
        advance_term(p.b, at, {0, 0, 1});
      }
      advance_term(p.b, at, skip);
      simt::transpose(square);
      CAIRN_UNROLL
      for (int i = 0; i < 4; ++i) square[i].store(b_tile + (position + i) * Shape::kStrideB + line);
    }
    advance_place(p.b, place, step);
  }
};

// Writes a filter's results at N places from `first` on, with what PlaceOutput asks for on the way.
template <int N>
__device__ __forceinline__ void store_places(const simt::Fragment<N>& sum, const PlaceOutput& output, const Patches& x,
                                             int filter, const Triple& first) {
  const bool in_image = first.middle * x.columns + first.inner + N <= x.rows * x.columns && first.outer < x.batch;
  if (in_image && output.column == 1 && output.row == x.columns) {
    float* to = address(output, filter, first);
    simt::Fragment<N> value = sum, other;
    if (output.add) {
      other.load_first(added_at(to, output), N);
      value.add(other);
    }
    if (output.bias) {
      other.set(output.bias[filter]);
      value.add(other);
    }
    if (output.relu) value.relu();
    value.store_first(to, N);
    return;
  }
  Triple place = first;
  CAIRN_UNROLL
  for (int i = 0; i < N; ++i) {
    if (place.outer < x.batch) store(output, filter, place, sum.get(i));
    advance_place(x, place, {0, 0, 1});
  }
}

}  // namespace cairn::CAIRN_VANILLA
