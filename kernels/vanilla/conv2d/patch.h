// Device code that all rungs share: counting through terms and places without divisions, reading one element of the
// patches, writing one result. Not here: reading four elements at a time, and tiles (tile.h).
#pragma once

#include "kernels/vanilla/conv2d/conv2d.h"

namespace cairn::CAIRN_VANILLA {

// A term (c, r, s) or a place (n, p, q): a number in the mixed base (.., middle_size, inner_size).
struct Triple {
  int outer, middle, inner;
};

__device__ __forceinline__ Triple split(int number, int middle_size, int inner_size) {
  const int rest = number / inner_size;
  return {rest / middle_size, rest % middle_size, number % inner_size};
}
// at += by, which has come from split with the same sizes: two carries instead of two divisions.
__device__ __forceinline__ void advance(Triple& at, const Triple& by, int middle_size, int inner_size) {
  at.inner += by.inner;
  const bool carry_inner = at.inner >= inner_size;
  at.inner -= carry_inner ? inner_size : 0;
  at.middle += by.middle + (carry_inner ? 1 : 0);
  const bool carry_middle = at.middle >= middle_size;
  at.middle -= carry_middle ? middle_size : 0;
  at.outer += by.outer + (carry_middle ? 1 : 0);
}

__device__ __forceinline__ Triple split_term(const Patches& x, int term) {
  return split(term, x.taps_h, x.taps_w);
}
__device__ __forceinline__ void advance_term(const Patches& x, Triple& term, const Triple& by) {
  advance(term, by, x.taps_h, x.taps_w);
}
__device__ __forceinline__ Triple split_place(const Patches& x, int place) {
  return split(place, x.rows, x.columns);
}
__device__ __forceinline__ void advance_place(const Patches& x, Triple& place, const Triple& by) {
  advance(place, by, x.rows, x.columns);
}

// Where a plane of x begins, and whether i is an index below size; one comparison, as -1 is a large unsigned number.
__device__ __forceinline__ const float* plane_of(const Patches& x, int image, int channel) {
  return x.data + (static_cast<int64_t>(image) * x.channels + channel) * x.height * x.width;
}
__device__ __forceinline__ bool within(int i, int size) {
  return static_cast<unsigned>(i) < static_cast<unsigned>(size);
}

// patches[term][place], and 0 beyond the last term or place.
__device__ __forceinline__ float element(const Patches& x, const Triple& term, const Triple& place) {
  const int h = x.first_h + place.middle * x.step_h + term.middle;
  const int w = x.first_w + place.inner * x.step_w + term.inner;
  if (term.outer >= x.channels || place.outer >= x.batch || !within(h, x.height) || !within(w, x.width)) return 0.0f;
  return plane_of(x, place.outer, term.outer)[static_cast<int64_t>(h) * x.width + w];
}

// dy[filter][place], and 0 beyond the last filter or place.
__device__ __forceinline__ float gradient(const FilterGradient& p, int filter, const Triple& place) {
  if (filter >= p.m || place.outer >= p.b.batch) return 0.0f;
  const int64_t plane = static_cast<int64_t>(place.outer) * p.m + filter;
  return p.a.dy[(plane * p.b.rows + place.middle) * p.b.columns + place.inner];
}

__device__ __forceinline__ float* address(const PlaceOutput& output, int filter, const Triple& place) {
  return output.y + place.outer * output.image + filter * output.plane + place.middle * output.row +
         place.inner * output.column;
}
__device__ __forceinline__ const float* added_at(const float* y, const PlaceOutput& output) {
  return output.add + (y - output.y);
}
__device__ __forceinline__ void store_at(float* y, const PlaceOutput& output, int filter, float value) {
  if (output.add) value += *added_at(y, output);
  if (output.bias) value += output.bias[filter];
  if (output.relu && value < 0.0f) value = 0.0f;  // nan stays nan
  *y = value;
}
__device__ __forceinline__ void store(const PlaceOutput& output, int filter, const Triple& place, float value) {
  store_at(address(output, filter, place), output, filter, value);
}

}  // namespace cairn::CAIRN_VANILLA
