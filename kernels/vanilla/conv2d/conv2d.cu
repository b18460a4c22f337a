// The convolution ladder's table and three entries of the seam: which rung runs, and how the seam's arguments become
// one of the two problems of conv2d.h. Not here: the rungs, one file each; the gradient of the bias (bias_gradient.cu).
#include "kernels/vanilla/conv2d/conv2d.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "kernels/conv2d_product.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// ---- the ladder ------------------------------------------------------------------------------------------------

struct Rung {
  const char* name;
  const char* idea;
  void (*convolve)(Stream&, const Convolution&);
  void (*filter_gradient)(Stream&, const FilterGradient&);
  // Of convolve; null: it takes none.
  int64_t (*workspace_floats)(const Stream&, const Patches&, int filters) = nullptr;
};
constexpr Rung kLadder[] = {
    {"direct", "one thread a result, its sum as the definition says", convolve_direct, filter_gradient_direct},
    {"shared_tile", "16 x 16 places a block, the part of x that they look at in shared memory", convolve_shared_tile,
     filter_gradient_shared_tile},
    {"im2col", "the patches of x as a matrix in memory, multiplied by gemm", convolve_im2col, filter_gradient_im2col,
     im2col_floats},
    {"implicit", "tiles of that matrix worked out while they are loaded: it is never written", convolve_implicit,
     filter_gradient_implicit},
    {"register_tile", "the same, four elements a load and a tile of results in registers", convolve_register_tile,
     filter_gradient_register_tile},
    {"tensor_core", "TF32 on tensor cores, with --precision tf32", convolve_tensor_core, filter_gradient_tensor_core},
    {"framed", "x in a frame of zeros: no edges, no shared memory, operands straight from the caches (stride 1 only)",
     convolve_framed, filter_gradient_framed, framed_floats},
    {"warp_tile", "rung 5 with a part of the tile for each warp, its elements copied asynchronously: gemm's rung 9",
     convolve_warp_tile, filter_gradient_warp_tile},
};
constexpr int kTensorCoreRung = 6, kFramedRung = 7, kWarpTileRung = 8;
constexpr int kRungs = static_cast<int>(std::size(kLadder)), kUsualRung = kOnGpu ? kWarpTileRung : kFramedRung;

constexpr auto kVariants = [] {
  constexpr size_t kListed = kOnGpu ? kRungs : kRungs - 1;
  std::array<KernelVariant, 3 * kListed> variants{};
  size_t next = 0;
  for (const char* primitive : {"conv2d_forward", "conv2d_backward_data", "conv2d_backward_filter"})
    for (int number = 1; number <= kRungs; ++number) {
      if (number == kTensorCoreRung && !kOnGpu) continue;
      const Rung& rung = kLadder[number - 1];
      variants[next++] = {primitive, number, rung.name, rung.idea, number == kUsualRung};
    }
  return variants;
}();

// The rung that runs where nothing was asked for. On a GPU it is chosen by calculation, not yet by measurement.
#if defined(__CUDACC__)
int default_rung(const Stream& stream, const Patches&) {
  return stream.precision == Precision::fp32 ? kWarpTileRung : kTensorCoreRung;
}
#else
constexpr int kRegisterTileRung = 5;
int default_rung(const Stream&, const Patches& patches) {
  return suits_framed(patches) ? kFramedRung : kRegisterTileRung;
}
#endif

const Rung& chosen_rung(const Stream& stream, const char* primitive, const Patches& patches) {
  const int number = stream.rungs.get(primitive, default_rung(stream, patches));
  if (number < 1 || number > kRungs)
    throw std::invalid_argument(std::string("vanilla: the rungs of ") + primitive + " are 1 to " +
                                std::to_string(kRungs) + ", not " + std::to_string(number));
  return kLadder[number - 1];
}

// Where no rung was asked for, a kernel as large as the image is left to the ladder of gemm.
bool is_product(const Stream& stream, const char* primitive, const Conv2dShape& s) {
  return covers_image(s) && stream.rungs.get(primitive, 0) == 0;
}

// ---- from the seam's arguments to a problem --------------------------------------------------------------------

// Indices of terms, places and pixels are ints, with room for a tile beyond the end; offsets into memory are 64 bits
// wide.
void check_sizes(const Conv2dShape& s) {
  constexpr int64_t kMost = int64_t{1} << 30, kMostKernel = int64_t{1} << 20;
  const auto product_fits = [](std::initializer_list<int64_t> sizes) {
    int64_t product = 1;
    for (int64_t size : sizes) {
      if (size > kMost / std::max<int64_t>(product, 1)) return false;
      product *= size;
    }
    return true;
  };
  if (s.kernel_height > kMostKernel || s.kernel_width > kMostKernel || s.stride_height > kMostKernel ||
      s.stride_width > kMostKernel)
    throw std::invalid_argument("vanilla: conv2d takes kernels and strides of at most 2^20");
  if (!product_fits({s.batch, s.out_height, s.out_width}) || !product_fits({s.batch, s.in_height, s.in_width}) ||
      !product_fits({s.in_channels, s.in_height, s.in_width}) ||
      !product_fits({s.out_channels, s.out_height, s.out_width}) ||
      !product_fits({s.in_channels, s.kernel_height, s.kernel_width}) ||
      !product_fits({s.out_channels, s.kernel_height, s.kernel_width}) ||
      !product_fits({s.out_height, s.stride_height}) || !product_fits({s.out_width, s.stride_width}) ||
      std::max({s.pad_height, s.pad_width, s.in_channels, s.out_channels, s.in_height, s.in_width}) > kMost / 2)
    throw std::invalid_argument(
        "vanilla: conv2d takes at most 2^30 places in a batch, values in an image and weights in a filter");
}

// What the places of y look at in x; y has places.
Patches patches_of(const Conv2dShape& s, const void* x) {
  return {static_cast<const float*>(x),
          static_cast<int>(s.batch),
          static_cast<int>(s.in_height * s.in_width > 0 ? s.in_channels : 0),
          static_cast<int>(s.in_height),
          static_cast<int>(s.in_width),
          static_cast<int>(s.kernel_height),
          static_cast<int>(s.kernel_width),
          static_cast<int>(s.out_height),
          static_cast<int>(s.out_width),
          static_cast<int>(-s.pad_height),
          static_cast<int>(-s.pad_width),
          static_cast<int>(s.stride_height),
          static_cast<int>(s.stride_width)};
}

// The data gradient along one dimension. Row h of x met tap r at row p of y where h + pad - r = p * stride, so with a
// stride only every stride-th tap can have met it, and which ones depends on h % stride. The rows with h % stride ==
// phase, h = phase + i * stride, form a convolution of stride 1 of their own:
//
//   taps met    r = first_tap + t * stride, t in [0, taps)      first_tap = (phase + pad) % stride
//   rows of dy  p = (phase + pad - first_tap) / stride + i - t = first + i + t',    t' = taps - 1 - t
//
// t' counts the taps backwards, as a convolution's rows ascend with its taps: the filter is turned.
struct Phase {
  int rows, taps, first_tap, first;
};
Phase phase_of(int64_t phase, int64_t size, int64_t kernel, int64_t stride, int64_t pad) {
  const int64_t first_tap = (phase + pad) % stride;
  const int64_t taps = first_tap < kernel ? divide_up(kernel - first_tap, stride) : 0;
  return {static_cast<int>(divide_up(size - phase, stride)), static_cast<int>(taps), static_cast<int>(first_tap),
          static_cast<int>((phase + pad - first_tap) / stride - (taps - 1))};
}

// The filters of one phase: turned[c][k][t'][u'] = weight[k][c][r][s]. One thread an element, 8 bytes each.
struct Turn {
  int in_channels, out_channels, kernel_h, kernel_w, stride_h, stride_w;
  Phase h, w;
};
__global__ void turn_filters_kernel(Turn turn, int64_t count, const float* weight, float* turned) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= count) return;
  const int taps = turn.h.taps * turn.w.taps;
  const int tap = static_cast<int>(i % taps);
  const int64_t channels = i / taps, c = channels / turn.out_channels, k = channels % turn.out_channels;
  const int r = turn.h.first_tap + (turn.h.taps - 1 - tap / turn.w.taps) * turn.stride_h;
  const int s = turn.w.first_tap + (turn.w.taps - 1 - tap % turn.w.taps) * turn.stride_w;
  turned[i] = weight[((k * turn.in_channels + c) * turn.kernel_h + r) * turn.kernel_w + s];
}

void backward_data_of_phase(Stream& stream, const Conv2dBackwardDataArgs& args, int64_t phase_h, int64_t phase_w) {
  const Conv2dShape& s = args.shape;
  const Turn turn{static_cast<int>(s.in_channels),
                  static_cast<int>(s.out_channels),
                  static_cast<int>(s.kernel_height),
                  static_cast<int>(s.kernel_width),
                  static_cast<int>(s.stride_height),
                  static_cast<int>(s.stride_width),
                  phase_of(phase_h, s.in_height, s.kernel_height, s.stride_height, s.pad_height),
                  phase_of(phase_w, s.in_width, s.kernel_width, s.stride_width, s.pad_width)};
  const int64_t count = s.in_channels * s.out_channels * turn.h.taps * turn.w.taps;
  const Patches patches{static_cast<const float*>(args.dy),
                        static_cast<int>(s.batch),
                        static_cast<int>(count > 0 && s.out_height * s.out_width > 0 ? s.out_channels : 0),
                        static_cast<int>(s.out_height),
                        static_cast<int>(s.out_width),
                        std::max(turn.h.taps, 1),
                        std::max(turn.w.taps, 1),
                        turn.h.rows,
                        turn.w.rows,
                        turn.h.first,
                        turn.w.first,
                        1,
                        1};
  const Rung& rung = chosen_rung(stream, "conv2d_backward_data", patches);
  // The turned filters lie behind what the rung takes of the workspace.
  const int64_t taken =
      rung.workspace_floats ? rung.workspace_floats(stream, patches, static_cast<int>(s.in_channels)) : 0;
  auto* turned = static_cast<float*>(stream.workspace(static_cast<size_t>(taken + count) * sizeof(float))) + taken;
  if (count > 0)
    simt::launch<turn_filters_kernel>(stream, element_grid(count), kElementBlock, 0, turn, count,
                                      static_cast<const float*>(args.weight), turned);
  const int64_t plane = s.in_height * s.in_width;
  float* dx = static_cast<float*>(args.dx) + phase_h * s.in_width + phase_w;
  rung.convolve(stream, {patches,
                         turned,
                         static_cast<int>(s.in_channels),
                         {.y = dx,
                          .image = s.in_channels * plane,
                          .plane = plane,
                          .row = s.stride_height * s.in_width,
                          .column = s.stride_width,
                          .bias = nullptr,
                          .add = args.accumulate ? dx : nullptr,
                          .relu = false}});
}

}  // namespace

std::span<const KernelVariant> conv2d_rungs() {
  return kVariants;
}

void conv2d_forward(Stream& stream, const Conv2dForwardArgs& args) {
  require_f32(args.dtype, "conv2d_forward");
  const Conv2dShape& s = args.shape;
  if (!args.add && is_product(stream, "conv2d_forward", s)) return gemm(stream, product_of(args));
  check_sizes(s);
  const int64_t plane = s.out_height * s.out_width;
  if (s.batch == 0 || s.out_channels == 0 || plane == 0) return;
  const Patches patches = patches_of(s, args.x);
  const Rung& rung = chosen_rung(stream, "conv2d_forward", patches);
  rung.convolve(stream, {patches,
                         static_cast<const float*>(args.weight),
                         static_cast<int>(s.out_channels),
                         {.y = static_cast<float*>(args.y),
                          .image = s.out_channels * plane,
                          .plane = plane,
                          .row = s.out_width,
                          .column = 1,
                          .bias = static_cast<const float*>(args.bias),
                          .add = static_cast<const float*>(args.add),
                          .relu = args.relu != 0}});
}

void conv2d_backward_data(Stream& stream, const Conv2dBackwardDataArgs& args) {
  require_f32(args.dtype, "conv2d_backward_data");
  const Conv2dShape& s = args.shape;
  if (is_product(stream, "conv2d_backward_data", s)) return gemm(stream, product_of(args));
  check_sizes(s);
  if (s.batch == 0 || s.in_channels == 0 || s.in_height == 0 || s.in_width == 0) return;
  for (int64_t phase_h = 0; phase_h < std::min(s.stride_height, s.in_height); ++phase_h)
    for (int64_t phase_w = 0; phase_w < std::min(s.stride_width, s.in_width); ++phase_w)
      backward_data_of_phase(stream, args, phase_h, phase_w);
}

void conv2d_backward_filter(Stream& stream, const Conv2dBackwardFilterArgs& args) {
  require_f32(args.dtype, "conv2d_backward_filter");
  const Conv2dShape& s = args.shape;
  if (is_product(stream, "conv2d_backward_filter", s)) return gemm(stream, product_of(args));
  check_sizes(s);
  const int64_t terms = s.in_channels * s.kernel_height * s.kernel_width;
  if (s.out_channels == 0 || terms == 0) return;
  if (s.batch * s.out_height * s.out_width * s.in_height * s.in_width == 0) {
    // Nothing to add up, and so a product without terms.
    gemm(stream, {.dtype = DType::f32,
                  .m = s.out_channels,
                  .n = terms,
                  .k = 0,
                  .c = args.dweight,
                  .ldc = terms,
                  .accumulate = args.accumulate});
    return;
  }
  const Patches patches = patches_of(s, args.x);
  const Rung& rung = chosen_rung(stream, "conv2d_backward_filter", patches);
  rung.filter_gradient(stream, {static_cast<int>(s.out_channels),
                                patches.terms(),
                                patches.places(),
                                {static_cast<const float*>(args.dy)},
                                patches,
                                true,
                                true,
                                {static_cast<float*>(args.dweight), terms, nullptr, false, args.accumulate != 0}});
}

}  // namespace cairn::CAIRN_VANILLA
