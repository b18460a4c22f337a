// The gemm ladder's table and the entries of the seam: which rung runs, and how the seam's arguments become a product.
// Not here: the rungs, one file each.
#include "kernels/vanilla/gemm/gemm.h"

#include <algorithm>
#include <array>
#include <string>

namespace cairn::CAIRN_VANILLA {
namespace {

struct Rung {
  const char* name;
  const char* idea;
  void (*multiply)(Stream&, const FloatProduct&);
};
constexpr Rung kLadder[] = {
    {"naive", "one thread an element of c, neighbouring threads on neighbouring rows", gemm_naive},
    {"coalesced", "neighbouring threads on neighbouring columns: one memory transaction a warp", gemm_coalesced},
    {"shared_tile", "16 x 16 tiles in shared memory: a block reads each element once", gemm_shared_tile},
    {"register_tile", "8 x 8 results a thread in registers: 64 multiplications for 16 reads", gemm_register_tile},
    {"vectorised", "four floats a load, tile shapes by problem, k split where c is small", gemm_vectorised},
    {"double_buffered", "the next tiles are copied asynchronously while these are multiplied", gemm_double_buffered},
    {"direct", "no shared memory: operands straight from the caches, for narrow or shallow products", gemm_direct},
    {"tensor_core", "TF32 on tensor cores, with --precision tf32", gemm_tensor_core},
    {"warp_tile", "a part of the tile for each warp, three tiles on their way while one is multiplied", gemm_warp_tile},
    {"warpgroup", "compute capability 9.0: tensor cores fed by the copy engine, inputs cut to TF32, or bf16",
     gemm_warpgroup},
};
[[maybe_unused]] constexpr int kVectorisedRung = 5, kDirectRung = 7, kTensorCoreRung = 8, kWarpTileRung = 9,
                               kWarpgroupRung = 10;
constexpr int kRungs = static_cast<int>(std::size(kLadder)), kUsualRung = kOnGpu ? kWarpTileRung : kVectorisedRung;

constexpr auto kVariants = [] {
  std::array<KernelVariant, kOnGpu ? kRungs : kRungs - 1> variants{};
  size_t next = 0;
  for (int number = 1; number <= kRungs; ++number) {
    if (number == kTensorCoreRung && !kOnGpu) continue;
    const Rung& rung = kLadder[number - 1];
    variants[next++] = {"gemm", number, rung.name, rung.idea, number == kUsualRung};
  }
  return variants;
}();

// The rung that runs where nothing was asked for. On a GPU it is chosen by calculation, not yet by measurement. On the
// CPU an asynchronous copy gains nothing, and where c is narrow, a copy to shared memory gains nothing either.
#if defined(__CUDACC__)
int default_rung(const Stream& stream, const FloatProduct& product) {
  if (product.m <= 32 || product.n <= 32) return kVectorisedRung;  // it has shapes for these
  if (stream.precision == Precision::fp32) return kUsualRung;
  // Rung 10's tile is large: it wants one for each two multiprocessors.
  const int64_t tiles = divide_up(product.m, 256) * divide_up(product.n, 256);
  const bool fills = stream.compute_capability == 90 && tiles >= stream.multiprocessors / 2;
  return fills ? kWarpgroupRung : kTensorCoreRung;
}
#else
int default_rung(const Stream&, const FloatProduct& product) {
  const int64_t results = int64_t{product.m} * product.n;
  const bool narrow = product.n <= 64 || product.m <= 64;
  return (narrow && product.k <= 1024) || results <= 64 * 64 ? kDirectRung : kUsualRung;
}
#endif

}  // namespace

int checked_size(int64_t size) {
  if (size > int64_t{1} << 30) throw std::invalid_argument("vanilla: gemm takes at most 2^30 rows, columns and steps");
  return static_cast<int>(size);
}

FloatLines float_lines(const void* data, int64_t stride, int64_t lines, int64_t length) {
  const bool vectors = reinterpret_cast<uintptr_t>(data) % 16 == 0 && stride % 4 == 0;
  return {static_cast<const float*>(data), stride, checked_size(lines), checked_size(length), vectors};
}

std::span<const KernelVariant> gemm_rungs() {
  return kVariants;
}

int64_t gemm_floats(const Stream& stream, int64_t m, int64_t n, int64_t k) {
  if (stream.precision == Precision::fp32) return kWorkspaceFloats;  // slices of a split sum are all there is
  return std::max(kWorkspaceFloats, warpgroup_floats(m, n, k));
}

void gemm(Stream& stream, const GemmArgs& args) {
  require_f32(args.dtype, "gemm");
  if (args.m == 0 || args.n == 0) return;
  const FloatProduct product{
      checked_size(args.m),
      checked_size(args.n),
      checked_size(args.k),
      args.transpose_a ? float_lines(args.a, args.lda, args.k, args.m) : float_lines(args.a, args.lda, args.m, args.k),
      args.transpose_b ? float_lines(args.b, args.ldb, args.n, args.k) : float_lines(args.b, args.ldb, args.k, args.n),
      args.transpose_a == 0,
      args.transpose_b != 0,
      {static_cast<float*>(args.c), args.ldc, static_cast<const float*>(args.bias), args.relu != 0,
       args.accumulate != 0}};
  const int chosen = stream.rungs.get("gemm", default_rung(stream, product));
  if (chosen < 1 || chosen > kRungs)
    throw std::invalid_argument("vanilla: the rungs of gemm are 1 to " + std::to_string(kRungs) + ", not " +
                                std::to_string(chosen));
  kLadder[chosen - 1].multiply(stream, product);
}

}  // namespace cairn::CAIRN_VANILLA
