// Convolution rung 3, im2col and gemm (Chellapilla, Puri & Simard 2006): write the patches out as a matrix, and let
// gemm's ladder multiply it.
//
//        patches                       y', as gemm writes it              y
//       +--------------------+        +--------------------+
//  term |                    |   ->   | filter             |     ->    n, filter, p, q; bias and ReLU on the way
//       +--------------------+        +--------------------+
//         place of some images          place
//
//   convolution       y'[filter][place]      = weight[filter][term] * patches[term][place]
//   filter gradient   dweight[filter][term] += dy'[filter][place] * patches[term][place]^T, dy' gathered from dy
//
// The images are taken in groups whose matrix fits into the workspace. The price is memory: each x is written and read
// taps times, 8 bytes a term and place for 2 FLOPs a filter, and a result makes one way more. Limited by memory where
// there are few filters, by gemm where there are many.
#include <algorithm>

#include "kernels/vanilla/conv2d/patch.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// The patches of a group of images take at most this much of the workspace (16 MB), but one image's in any case.
constexpr int64_t kGroupFloats = int64_t{4} << 20;

// Grid: 256 places x terms. Neighbours on neighbouring places: coalesced writes, and reads but for the rows' ends.
__global__ void im2col_kernel(Patches x, int first_image, int places, float* patches) {
  const int column = static_cast<int>(blockIdx.x * kElementBlock + threadIdx.x);
  if (column >= places) return;
  Triple place = split_place(x, column);
  place.outer += first_image;
  for (int term = static_cast<int>(blockIdx.y); term < x.terms(); term += static_cast<int>(gridDim.y))
    patches[static_cast<int64_t>(term) * places + column] = element(x, split_term(x, term), place);
}

// Grid: 256 places x filters, in both.
__global__ void scatter_results_kernel(Convolution p, int first_image, int places, const float* results) {
  const int column = static_cast<int>(blockIdx.x * kElementBlock + threadIdx.x);
  if (column >= places) return;
  Triple place = split_place(p.patches, column);
  place.outer += first_image;
  for (int filter = static_cast<int>(blockIdx.y); filter < p.filters; filter += static_cast<int>(gridDim.y))
    store(p.output, filter, place, results[static_cast<int64_t>(filter) * places + column]);
}
__global__ void gather_gradients_kernel(FilterGradient p, int first_image, int places, float* gradients) {
  const int column = static_cast<int>(blockIdx.x * kElementBlock + threadIdx.x);
  if (column >= places) return;
  Triple place = split_place(p.b, column);
  place.outer += first_image;
  for (int filter = static_cast<int>(blockIdx.y); filter < p.m; filter += static_cast<int>(gridDim.y))
    gradients[static_cast<int64_t>(filter) * places + column] = gradient(p, filter, place);
}

dim3 grid_of(int64_t places, int64_t lines) {
  return {element_grid(places), static_cast<unsigned>(std::clamp<int64_t>(lines, 1, 65535))};
}

// How many images a group has.
int group_of(const Patches& x, int filters) {
  const int64_t floats = int64_t{x.rows} * x.columns * (int64_t{x.terms()} + filters);
  return static_cast<int>(std::clamp<int64_t>(kGroupFloats / floats, 1, std::max(x.batch, 1)));
}

// The part of the workspace that gemm uses, for a convolution and for a filter gradient.
int64_t product_floats(const Stream& stream, const Patches& x, int filters) {
  const int64_t places = int64_t{group_of(x, filters)} * x.rows * x.columns;
  return std::max(gemm_floats(stream, filters, places, x.terms()), gemm_floats(stream, filters, x.terms(), places));
}

// Calls body(first image, places, patches, results) for each group of images: arrays of terms x places and of filters x
// places. They lie behind the part of the workspace that gemm uses.
template <class Body>
void for_each_group(Stream& stream, const Patches& x, int filters, const Body& body) {
  const int group = group_of(x, filters);
  const size_t bytes = static_cast<size_t>(im2col_floats(stream, x, filters)) * sizeof(float);
  float* patches = static_cast<float*>(stream.workspace(bytes)) + product_floats(stream, x, filters);
  for (int image = 0; image < x.batch; image += group) {
    const int places = std::min(group, x.batch - image) * x.rows * x.columns;
    if (x.terms() > 0)
      simt::launch<im2col_kernel>(stream, grid_of(places, x.terms()), kElementBlock, 0, x, image, places, patches);
    body(image, places, patches, patches + int64_t{x.terms()} * places);
  }
}

}  // namespace

int64_t im2col_floats(const Stream& stream, const Patches& x, int filters) {
  return product_floats(stream, x, filters) +
         int64_t{group_of(x, filters)} * x.rows * x.columns * (int64_t{x.terms()} + filters);
}

void convolve_im2col(Stream& stream, const Convolution& problem) {
  const Patches& x = problem.patches;
  for_each_group(stream, x, problem.filters, [&](int image, int places, const float* patches, float* results) {
    gemm(stream, {.dtype = DType::f32,
                  .m = problem.filters,
                  .n = places,
                  .k = x.terms(),
                  .a = problem.weight,
                  .lda = x.terms(),
                  .transpose_a = 0,
                  .b = patches,
                  .ldb = places,
                  .transpose_b = 0,
                  .c = results,
                  .ldc = places,
                  .bias = nullptr,
                  .relu = 0,
                  .accumulate = 0});
    simt::launch<scatter_results_kernel>(stream, grid_of(places, problem.filters), kElementBlock, 0, problem, image,
                                         places, static_cast<const float*>(results));
  });
}

void filter_gradient_im2col(Stream& stream, const FilterGradient& problem) {
  GemmArgs product{.dtype = DType::f32,
                   .m = problem.m,
                   .n = problem.n,
                   .k = 0,
                   .a = nullptr,
                   .lda = 0,
                   .transpose_a = 0,
                   .b = nullptr,
                   .ldb = 0,
                   .transpose_b = 1,
                   .c = problem.output.c,
                   .ldc = problem.output.ldc,
                   .bias = nullptr,
                   .relu = 0,
                   .accumulate = problem.output.accumulate};
  for_each_group(stream, problem.b, problem.m, [&](int image, int places, const float* patches, float* gradients) {
    simt::launch<gather_gradients_kernel>(stream, grid_of(places, problem.m), kElementBlock, 0, problem, image, places,
                                          gradients);
    product.k = product.lda = product.ldb = places;
    product.a = gradients;
    product.b = patches;
    gemm(stream, product);
    product.accumulate = 1;
  });
}

}  // namespace cairn::CAIRN_VANILLA
