// Convolution rung 7, framed: no shared memory, no barrier, and nothing to look up. x is copied once into planes with a
// frame of zeros around them, exactly as wide as the filters reach beyond it:
//
//        columns + taps - 1 = pitch        Where a plane is one run of floats, place (p, q) is number p * pitch + q,
//        and
//       +----------------------+           the tap (r, s) of place j lies at j + r * pitch + s, whatever row j is in:
//       16 | 0 0 0 0 0 0 0 0 0 0  |           neighbouring places are 16 neighbouring floats for every tap. The places
//       with | 0 +--------------+ 0 |           q >= columns, taps - 1 in each row, are computed for nothing: 4 of 32
//       in | 0 |      x       | 0 |           LeNet's first layer, 4 of 14 in its second. | 0 +--------------+ 0 |
//       +----------------------+           convolution: a thread computes kRows filters at 16 places, with two vectors
//                                          of x and kRows weights for 2 kRows vector operations a term.
//
// The filter gradient puts dy into planes of the same pitch, zeros in the gaps. Then dweight[m][term] is the product of
// two runs, dy[m] and x from the term's offset on: a thread computes 4 filters x 3 terms, 8 places at a time, from 7
// vectors for 12 operations; where there are few weights, the images are split over threads.
//
// 2 kRows * 16 FLOPs for 4 (kRows + 16) bytes from the caches. It is what a CPU does best; a GPU's warp reads as many
// lines as it has threads, so rung 8 is the usual one there. A stride would tear the runs apart: rung 5 does it.
#include <algorithm>

#include "kernels/vanilla/conv2d/patch.h"
#include "kernels/vanilla/gemm/split_k.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kThreads = 64;
constexpr int kPlaces = 16;                         // of a convolution's thread
constexpr int kFilters = 4, kTerms = 3, kStep = 8;  // of a filter gradient's
constexpr int64_t kGroupFloats = int64_t{2} << 20;  // frames are made for so many images that they take 8 MB, or one
constexpr int kPlanesPerBlock = 16;

// Planes of height x pitch floats, and the flat places in one of them, up to the last that counts.
struct Frame {
  int height, pitch, places;
  __host__ __device__ int64_t plane() const { return static_cast<int64_t>(height) * pitch; }
};
Frame frame_of(const Patches& x) {
  const int pitch = x.columns + x.taps_w - 1;
  return {x.rows + x.taps_h - 1, pitch, (x.rows - 1) * pitch + x.columns};
}
// A filter gradient's last step reaches up to kStep - 1 floats too far: zeros of dy meet zeros of x there.
Frame with_room_for_steps(const Frame& frame) {
  return {frame.height + static_cast<int>(divide_up(kStep - 1, frame.pitch)), frame.pitch, frame.places};
}
bool can_be_framed(const Patches& x) {
  constexpr int64_t kMost = int64_t{1} << 30;
  return x.step_h == 1 && x.step_w == 1 &&
         (int64_t{x.rows} + x.taps_h + kStep) * (int64_t{x.columns} + x.taps_w) <= kMost;
}

// framed[plane][h][w] = data[plane][first_h + h][first_w + w], and 0 beyond the plane. Grid: 256 elements of a plane x
// groups of planes: where an element comes from is the same in all of them. The places of the last plane reach up to
// kPlaces floats beyond it, for results that are dropped: zeros, so that nobody reads what nobody wrote.
__global__ void frame_kernel(int64_t planes, int height, int width, int first_h, int first_w, Frame frame,
                             const float* data, float* framed) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i < kPlaces && blockIdx.y == 0) framed[planes * frame.plane() + i] = 0.0f;
  if (i >= frame.plane()) return;
  const int h = first_h + static_cast<int>(i / frame.pitch), w = first_w + static_cast<int>(i % frame.pitch);
  const bool inside = within(h, height) && within(w, width);
  const int64_t from = inside ? static_cast<int64_t>(h) * width + w : 0, size = static_cast<int64_t>(height) * width;
  for (int64_t first = static_cast<int64_t>(blockIdx.y) * kPlanesPerBlock; first < planes;
       first += static_cast<int64_t>(gridDim.y) * kPlanesPerBlock) {
    const int64_t end = first + kPlanesPerBlock < planes ? first + kPlanesPerBlock : planes;
    for (int64_t plane = first; plane < end; ++plane)
      framed[plane * frame.plane() + i] = inside ? data[plane * size + from] : 0.0f;
  }
}
void make_frame(Stream& stream, int64_t planes, int height, int width, int first_h, int first_w, const Frame& frame,
                const float* data, float* framed) {
  const dim3 grid(element_grid(frame.plane()),
                  static_cast<unsigned>(std::min<int64_t>(divide_up(planes, kPlanesPerBlock), 65535)));
  simt::launch<frame_kernel>(stream, grid, kElementBlock, 0, planes, height, width, first_h, first_w, frame, data,
                             framed);
}

// Writes a filter's results at the flat places from `first` (its row and column) on.
__device__ __forceinline__ void store_flat(const simt::Fragment<kPlaces>& sum, const PlaceOutput& output,
                                           const Patches& x, int pitch, int filter, const Triple& first) {
  float* to = address(output, filter, first);
  const int count = x.columns - first.inner;
  if (output.column == 1 && (count >= kPlaces || pitch - first.inner >= kPlaces)) {  // no place of the next row
    simt::Fragment<kPlaces> value = sum, other;
    if (output.add) {
      other.load_first(added_at(to, output), count);
      value.add(other);
    }
    if (output.bias) {
      other.set(output.bias[filter]);
      value.add(other);
    }
    if (output.relu) value.relu();
    value.store_first(to, count);
    return;
  }
  Triple place = first;
  CAIRN_UNROLL
  for (int i = 0; i < kPlaces; ++i) {
    if (place.inner < x.columns && place.middle < x.rows) store(output, filter, place, sum.get(i));
    const bool wraps = ++place.inner == pitch;
    place.inner = wraps ? 0 : place.inner;
    place.middle += wraps ? 1 : 0;
  }
}

// Thread = (image, 16 flat places, kRows filters), neighbours on neighbouring filters: they read the same x. Filters
// beyond the last are replaced by it, and their results dropped, so that the loop needs no checks.
template <int kRows>
__global__ void __launch_bounds__(kThreads)
    framed_kernel(Convolution p, Frame frame, const float* framed, int first_image, int64_t threads) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= threads) return;
  const Patches& x = p.patches;
  const int groups = (frame.places + kPlaces - 1) / kPlaces, filter_groups = (p.filters + kRows - 1) / kRows;
  const int filter0 = static_cast<int>(i % filter_groups) * kRows;
  const int64_t rest = i / filter_groups;
  const int place0 = static_cast<int>(rest % groups) * kPlaces;
  const float* plane = framed + rest / groups * x.channels * frame.plane() + place0;
  const int terms = x.terms();
  const float* weights[kRows];
  CAIRN_UNROLL
  for (int row = 0; row < kRows; ++row) {
    const int filter = filter0 + row < p.filters ? filter0 + row : p.filters - 1;
    weights[row] = p.weight + static_cast<int64_t>(filter) * terms;
  }
  simt::Fragment<kPlaces> sum[kRows];
  CAIRN_UNROLL
  for (int row = 0; row < kRows; ++row) sum[row].zero();

  int term = 0;
  for (int c = 0; c < x.channels; ++c, plane += frame.plane())
    for (int r = 0; r < x.taps_h; ++r) {
      const float* from = plane + r * frame.pitch;
      for (int s = 0; s < x.taps_w; ++s, ++term) {
        simt::Fragment<kPlaces> values;
        values.load_unaligned(from + s);
        CAIRN_UNROLL
        for (int row = 0; row < kRows; ++row) sum[row].fma(weights[row][term], values);
      }
    }

  const Triple first{first_image + static_cast<int>(rest / groups), place0 / frame.pitch, place0 % frame.pitch};
  CAIRN_UNROLL
  for (int row = 0; row < kRows; ++row)
    if (filter0 + row < p.filters) store_flat(sum[row], p.output, x, frame.pitch, filter0 + row, first);
}

// Thread = (4 filters, 3 terms) over the images of slice blockIdx.y. x and dy: frames of equal pitch.
__global__ void __launch_bounds__(kThreads)
    framed_filter_kernel(FilterGradient p, Frame x_frame, Frame dy_frame, const float* x, const float* dy, int images,
                         int images_per_slice, int64_t slice_stride) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const int term_groups = (p.n + kTerms - 1) / kTerms;
  const int filter0 = static_cast<int>(i / term_groups) * kFilters, term0 = static_cast<int>(i % term_groups) * kTerms;
  if (filter0 >= p.m) return;
  const int begin = static_cast<int>(blockIdx.y) * images_per_slice;
  const int end = images - begin < images_per_slice ? images : begin + images_per_slice;
  // Filters and terms beyond the last are replaced by it.
  int64_t filter_offset[kFilters], term_offset[kTerms];
  CAIRN_UNROLL
  for (int row = 0; row < kFilters; ++row)
    filter_offset[row] = (filter0 + row < p.m ? filter0 + row : p.m - 1) * dy_frame.plane();
  CAIRN_UNROLL
  for (int column = 0; column < kTerms; ++column) {
    const Triple term = split_term(p.b, term0 + column < p.n ? term0 + column : p.n - 1);
    term_offset[column] = term.outer * x_frame.plane() + term.middle * x_frame.pitch + term.inner;
  }
  simt::Fragment<kStep> sum[kFilters][kTerms];
  CAIRN_UNROLL
  for (int row = 0; row < kFilters; ++row) {
    CAIRN_UNROLL
    for (int column = 0; column < kTerms; ++column) sum[row][column].zero();
  }

  for (int image = begin; image < end; ++image) {
    const float* x_image = x + static_cast<int64_t>(image) * p.b.channels * x_frame.plane();
    const float* dy_image = dy + static_cast<int64_t>(image) * p.m * dy_frame.plane();
    for (int place = 0; place < dy_frame.places; place += kStep) {
      simt::Fragment<kStep> terms[kTerms];
      CAIRN_UNROLL
      for (int column = 0; column < kTerms; ++column)
        terms[column].load_unaligned(x_image + term_offset[column] + place);
      CAIRN_UNROLL
      for (int row = 0; row < kFilters; ++row) {
        simt::Fragment<kStep> gradient;
        gradient.load_unaligned(dy_image + filter_offset[row] + place);
        CAIRN_UNROLL
        for (int column = 0; column < kTerms; ++column) sum[row][column].fma(gradient, terms[column]);
      }
    }
  }

  Output output = p.output;
  output.c += blockIdx.y * slice_stride;
  CAIRN_UNROLL
  for (int row = 0; row < kFilters; ++row) {
    CAIRN_UNROLL
    for (int column = 0; column < kTerms; ++column)
      if (filter0 + row < p.m && term0 + column < p.n)
        store(output, filter0 + row, term0 + column, sum[row][column].sum());
  }
}

// Calls body(first image, images, frames) for each group of images that take `floats` each; the frames end with room
// for the last place's reach.
int64_t group_of(const Patches& x, int64_t floats) {
  return std::clamp<int64_t>(kGroupFloats / std::max<int64_t>(floats, 1), 1, x.batch);
}
template <class Body>
void for_each_group(Stream& stream, const Patches& x, int64_t floats, const Body& body) {
  const auto group = static_cast<int>(group_of(x, floats));
  const int64_t total = kWorkspaceFloats + group * floats + kPlaces;
  float* frames = static_cast<float*>(stream.workspace(static_cast<size_t>(total) * sizeof(float))) + kWorkspaceFloats;
  for (int image = 0; image < x.batch; image += group) body(image, std::min(group, x.batch - image), frames);
}

template <int kRows>
void launch_framed(Stream& stream, const Convolution& problem) {
  const Patches& x = problem.patches;
  const Frame frame = frame_of(x);
  for_each_group(stream, x, x.channels * frame.plane(), [&](int image, int images, float* framed) {
    const float* data = x.data + static_cast<int64_t>(image) * x.channels * x.height * x.width;
    if (x.channels > 0)
      make_frame(stream, int64_t{images} * x.channels, x.height, x.width, x.first_h, x.first_w, frame, data, framed);
    const int64_t threads = images * divide_up(frame.places, kPlaces) * divide_up(problem.filters, kRows);
    simt::launch<framed_kernel<kRows>>(stream, grid_x(divide_up(threads, kThreads)), kThreads, 0, problem, frame,
                                       static_cast<const float*>(framed), image, threads);
  });
}

}  // namespace

bool suits_framed(const Patches& x) {
  return can_be_framed(x) && int64_t{3} * x.rows * x.columns >= divide_up(frame_of(x).places, kPlaces) * kPlaces;
}

int64_t framed_floats(const Stream&, const Patches& x, int) {
  if (!can_be_framed(x)) return 0;
  const int64_t floats = x.channels * frame_of(x).plane();
  return kWorkspaceFloats + group_of(x, floats) * floats + kPlaces;
}

void convolve_framed(Stream& stream, const Convolution& problem) {
  if (!can_be_framed(problem.patches)) return convolve_register_tile(stream, problem);
  const int64_t filters = problem.filters;
  if (filters <= 2)
    launch_framed<2>(stream, problem);
  else if (divide_up(filters, 6) * 6 <= divide_up(filters, 4) * 4)
    launch_framed<6>(stream, problem);
  else
    launch_framed<4>(stream, problem);
}

void filter_gradient_framed(Stream& stream, const FilterGradient& problem) {
  const Patches& x = problem.b;
  if (!can_be_framed(x)) return filter_gradient_register_tile(stream, problem);
  const Frame x_frame = with_room_for_steps(frame_of(x));
  const Frame dy_frame = with_room_for_steps({x.rows, x_frame.pitch, x_frame.places});
  const int64_t x_floats = x.channels * x_frame.plane(), dy_floats = problem.m * dy_frame.plane();
  const int64_t results = int64_t{problem.m} * problem.n;
  const int64_t blocks = divide_up(divide_up(problem.m, kFilters) * divide_up(problem.n, kTerms), kThreads);

  FilterGradient part = problem;
  for_each_group(stream, x, x_floats + dy_floats, [&](int image, int images, float* frames) {
    float* dy_frames = frames + images * x_floats;
    make_frame(stream, int64_t{images} * x.channels, x.height, x.width, x.first_h, x.first_w, x_frame,
               x.data + static_cast<int64_t>(image) * x.channels * x.height * x.width, frames);
    make_frame(stream, int64_t{images} * problem.m, x.rows, x.columns, 0, 0, dy_frame,
               problem.a.dy + static_cast<int64_t>(image) * problem.m * x.rows * x.columns, dy_frames);
    // On the CPU few images a slice, whose runs are still in the caches when the next thread reads them.
    constexpr int64_t kMaxDepth = 4096 * kStep, kMostPartial = kWorkspaceFloats / 2;
    constexpr int kMostSlices = 1024;
    const int64_t wanted =
        kOnGpu ? std::min<int64_t>(slices_of(blocks, problem.m, problem.n, images * int64_t{x_frame.places}, kMaxDepth),
                                   images)
               : std::clamp<int64_t>(kMostPartial / results, 1, std::min(images, kMostSlices));
    const int64_t images_per_slice = divide_up(images, wanted), slices = divide_up(images, images_per_slice);
    part.output = problem.output;
    part.output.accumulate = problem.output.accumulate || image > 0;
    const Output output = part.output;
    if (slices > 1) part.output = {frames - kWorkspaceFloats, problem.n, nullptr, false, false};
    simt::launch<framed_filter_kernel>(stream, dim3(grid_x(blocks), static_cast<unsigned>(slices)), kThreads, 0, part,
                                       x_frame, dy_frame, static_cast<const float*>(frames),
                                       static_cast<const float*>(dy_frames), images, static_cast<int>(images_per_slice),
                                       results);
    if (slices > 1) reduce_slices(stream, static_cast<int>(slices), problem.m, problem.n, part.output.c, output);
  });
}

}  // namespace cairn::CAIRN_VANILLA
