// How many slices a sum is cut into on a GPU, which this machine need not have. Not here: that the slices add up
// (tests/kernels/test_gemm.cpp).
#include <doctest/doctest.h>

#include "kernels/vanilla/gemm/split_k.h"

namespace cairn::CAIRN_VANILLA {

// A layer of few outputs is a tile of 32 x 64 for one warp, 13 of them for 784 inputs.
TEST_CASE("slices: the gradient of few outputs over a full batch gives each multiprocessor seven warps") {
  constexpr int64_t kMultiprocessors = 132, kTiles = 13, kImages = 60000, kMaxDepth = 4096;
  CHECK(kTiles * slices_of<true>(kTiles, 10, 784, kImages, kMaxDepth, true) >= 7 * kMultiprocessors);
  // Blocks of more warps are as many as they were, and on the CPU nothing depends on it.
  CHECK(slices_of<true>(kTiles, 10, 784, kImages, kMaxDepth) == 19);
  CHECK(slices_of<false>(kTiles, 10, 784, kImages, kMaxDepth, true) == 15);
  CHECK(slices_of<false>(kTiles, 10, 784, kImages, kMaxDepth) == 15);
  // A batch is too short to be cut, and c too large for the workspace to hold more than a few.
  CHECK(slices_of<true>(kTiles, 10, 784, 64, kMaxDepth, true) == 1);
  CHECK(slices_of<true>(64, 1024, 1024, kImages, 1 << 30, true) == 2);
}

}  // namespace cairn::CAIRN_VANILLA
