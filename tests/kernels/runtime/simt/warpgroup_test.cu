// Hopper's bulk features on the executor: boxes, barriers that count bytes, products of warpgroups. Not here: the
// product that is built of them (gemm rung 10, in the kernel tests).
#include "kernels/runtime/simt/warpgroup.h"

#include <cmath>

#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

constexpr int kLines = 64, kPerLine = kBoxLineBytes / 4;  // of floats
constexpr size_t kBoxBytes = kLines * kBoxLineBytes, kBarrierAt = kBoxBytes + kProductColumns * kBoxLineBytes;

enum Mistake { kNone, kNoWait, kTooFewBytes, kMisplaced, kNoStart };

// One thread fetches a box, all wait for it and copy it out as it lies.
template <Mistake mistake>
__global__ void fetches(TensorMap map, int position, int line, float* out) {
  CAIRN_SHARED_DYNAMIC(unsigned char, shared);
  auto& arrived = *reinterpret_cast<TransferBarrier*>(shared + kBarrierAt);
  if (threadIdx.x == 0 && mistake != kNoStart) {
    arrived.initialize(1);
    fence_barriers();
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    arrived.expect(mistake == kTooFewBytes ? kBoxBytes + 16 : kBoxBytes);
    copy_box(shared + (mistake == kMisplaced ? 128 : 0), map, position, line, arrived);
  }
  if (mistake != kNoWait) arrived.wait(0);
  for (unsigned i = threadIdx.x; i < kBoxBytes / 4; i += blockDim.x) out[i] = reinterpret_cast<const float*>(shared)[i];
}

TensorMap map_of(const std::vector<float>& matrix, int lines, int length, int box_lines = kLines) {
  return tensor_map({.input = TensorInput::tf32,
                     .data = matrix.data(),
                     .lines = lines,
                     .length = length,
                     .stride_bytes = length * 4,
                     .box_lines = box_lines});
}

TEST_CASE("a box arrives with its pieces exchanged, and zeros from beyond the matrix") {
  Stream stream = make_stream(1);
  constexpr int kRows = 70, kColumns = 44;
  const std::vector<float> matrix = counting(kRows * kColumns);
  in_every_order([&] {
    std::vector<float> out(kBoxBytes / 4);
    launch<fetches<kNone>>(stream, 1, 128, 230000, map_of(matrix, kRows, kColumns), 20, 10, out.data());
    int wrong = 0;
    for (int i = 0; i < kLines; ++i)
      for (int k = 0; k < kPerLine; ++k) {
        const bool inside = i + 10 < kRows && k + 20 < kColumns;
        const float expected = inside ? matrix[static_cast<size_t>((i + 10) * kColumns + k + 20)] : 0.0f;
        const int at = i * kPerLine + ((k / 4) ^ (i % 8)) * 4 + k % 4;
        wrong += out[static_cast<size_t>(at)] != expected;
      }
    CHECK(wrong == 0);
  });
}

TEST_CASE("fault: a box that nobody waits for has not arrived") {
  Stream stream = make_stream(1);
  const std::vector<float> matrix = counting(64 * 32);
  std::vector<float> out(kBoxBytes / 4);
  launch<fetches<kNoWait>>(stream, 1, 128, 230000, map_of(matrix, 64, 32), 0, 0, out.data());
  CHECK(std::isnan(out[0]));
}

TEST_CASE("fault: mistakes with boxes and barriers are errors, not hangs") {
  Stream stream = make_stream(1);
  const std::vector<float> matrix = counting(64 * 32);
  std::vector<float> out(kBoxBytes / 4);
  const TensorMap map = map_of(matrix, 64, 32);
  check_error([&] { launch<fetches<kTooFewBytes>>(stream, 1, 64, 230000, map, 0, 0, out.data()); },
              {"kernel fetches", "deadlock", "64 threads", "wait at a TransferBarrier warpgroup_test.cu"});
  check_error([&] { launch<fetches<kMisplaced>>(stream, 1, 64, 230000, map, 0, 0, out.data()); },
              {"kernel fetches", "a multiple of 1024 bytes"});
  check_error([&] { launch<fetches<kNoStart>>(stream, 1, 64, 230000, map, 0, 0, out.data()); },
              {"kernel fetches", "a TransferBarrier that was not initialised"});
  check_error([&] { map_of(matrix, 64, 30); }, {"multiples of 16 bytes"});
}

// The sums of one product of 64 x 256 x kPerLine, twice: the second adds to the first.
__global__ void multiplies(TensorMap a, TensorMap b, float* out) {
  CAIRN_SHARED_DYNAMIC(unsigned char, shared);
  auto& arrived = *reinterpret_cast<TransferBarrier*>(shared + kBarrierAt);
  const int t = static_cast<int>(threadIdx.x), warp = t / 32, lane = t % 32;
  if (t == 0) {
    arrived.initialize(1);
    fence_barriers();
    arrived.expect(kBoxBytes + kProductColumns * kBoxLineBytes);
    copy_box(shared, a, 0, 0, arrived);
    copy_box(shared + kBoxBytes, b, 0, 0, arrived);
  }
  __syncthreads();
  arrived.wait(0);
  float sums[kProductSums];
  begin_products();
  for (int repeat = 0; repeat < 2; ++repeat)
    for (int k = 0; k < kBoxLineBytes; k += kProductBytes)
      multiply_warpgroup<TensorInput::tf32>(sums, shared + k, shared + kBoxBytes + k, repeat > 0 || k > 0);
  commit_products();
  wait_for_products<0>();
  for (int j = 0; j < 32; ++j)
    for (int h = 0; h < 2; ++h)
      for (int i = 0; i < 2; ++i)
        out[(16 * warp + lane / 4 + 8 * h) * kProductColumns + 8 * j + lane % 4 * 2 + i] = sums[4 * j + 2 * h + i];
}

TEST_CASE("a warpgroup multiplies two tiles, each input cut to TF32") {
  Stream stream = make_stream(1);
  std::vector<float> a(kLines * kPerLine), b(kProductColumns * kPerLine), out(kLines * kProductColumns);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 13) - 6;
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 11) - 5;
  a[0] = 1.0f + 0x1p-11f;  // the lowest bit is one too many
  in_every_order([&] {
    launch<multiplies>(stream, 1, 128, 230000, map_of(a, kLines, kPerLine),
                       map_of(b, kProductColumns, kPerLine, kProductColumns), out.data());
    int wrong = 0;
    for (size_t m = 0; m < kLines; ++m)
      for (size_t n = 0; n < kProductColumns; ++n) {
        float sum = 0;
        for (size_t k = 0; k < kPerLine; ++k) sum += (m + k ? a[m * kPerLine + k] : 1.0f) * b[n * kPerLine + k];
        wrong += out[m * kProductColumns + n] != 2 * sum;
      }
    CHECK(wrong == 0);
  });
}

}  // namespace
}  // namespace cairn::simt
