// What the rungs of the convolution ladder share on the host side: the two problems they are given and their launchers.
// Not here: the device code that rungs share (patch.h, tile.h) and the choice of a rung (conv2d.cu).
//
// Two problems are enough for the three primitives. The data gradient is a convolution too: dx[h] takes from dy[p] what
// y[p] took from x[h], so it is the convolution of dy with the filters turned by 180 degrees and their two channel
// dimensions exchanged (conv2d.cu says what becomes of strides). Both problems read the same view of an image, one that
// never lies in memory: patches[term][place], the matrix that im2col would write.
//
//   place (n, p, q): where a filter stands                  term (c, r, s): an element of the filter, a "tap" (r, s) of
//   term \ place ->  x[n, c, first + p * step + r,          channel c
//                         first + q * step + s]             outside of x there are zeros
//
//   convolution       y[filter][place]       = weight[filter][term]  * patches[term][place]
//   filter gradient   dweight[filter][term]  = dy[filter][place]     * patches[term][place]^T
#pragma once

#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {

// All sizes are positive, but channels, which is 0 where a sum has no terms; an image of x has at most 2^30 elements.
struct Patches {
  const float* data;  // batch x channels x height x width
  int batch, channels, height, width;
  int taps_h, taps_w;
  int rows, columns;  // places in an image: p < rows, q < columns
  int first_h, first_w, step_h, step_w;
  __host__ __device__ int terms() const { return channels * taps_h * taps_w; }
  __host__ __device__ int places() const { return batch * rows * columns; }
};

// Where results go: filter m at place (n, p, q) is y[n * image + m * plane + p * row + q * column].
struct PlaceOutput {
  float* y;
  int64_t image, plane, row, column;
  const float* bias;  // one value a filter, or null
  const float* add;   // as y, or y itself, or null
  bool relu;
};

struct Convolution {
  Patches patches;
  const float* weight;  // filters x terms
  int filters;
  PlaceOutput output;
};

// dy: batch x filters x rows x columns; a product's left operand, where the patches are the right one.
struct Gradients {
  const float* dy;
  int filters;
};
using FilterGradient = Product<Gradients, Patches>;  // m filters, n terms, k places

// Two launchers a rung. There are filters and places; a filter gradient has terms, too.
void convolve_direct(Stream&, const Convolution&);
void convolve_shared_tile(Stream&, const Convolution&);
void convolve_im2col(Stream&, const Convolution&);
void convolve_implicit(Stream&, const Convolution&);
void convolve_register_tile(Stream&, const Convolution&);
void convolve_tensor_core(Stream&, const Convolution&);
void convolve_framed(Stream&, const Convolution&);
void convolve_warp_tile(Stream&, const Convolution&);
void filter_gradient_direct(Stream&, const FilterGradient&);
void filter_gradient_shared_tile(Stream&, const FilterGradient&);
void filter_gradient_im2col(Stream&, const FilterGradient&);
void filter_gradient_implicit(Stream&, const FilterGradient&);
void filter_gradient_register_tile(Stream&, const FilterGradient&);
void filter_gradient_tensor_core(Stream&, const FilterGradient&);
void filter_gradient_framed(Stream&, const FilterGradient&);
void filter_gradient_warp_tile(Stream&, const FilterGradient&);

// Whether at least every third of the places that rung 7 computes counts.
bool suits_framed(const Patches&);
// The floats of the workspace that rungs 3 and 7 take for a convolution.
int64_t im2col_floats(const Stream&, const Patches&, int filters);
int64_t framed_floats(const Stream&, const Patches&, int filters);

}  // namespace cairn::CAIRN_VANILLA
