// Clusters: ranks, barriers, shared memory of other blocks, and the launches that are refused. Not here: races
// (cluster_race_test.cu).
#include <limits>

#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

// Every block passes a number around its cluster, one block further at each round.
__global__ void pass_around(int rounds, int* out) {
  CAIRN_SHARED_DYNAMIC(int, box);  // two numbers a thread
  const unsigned t = threadIdx.x, rank = cluster_rank(), blocks = cluster_blocks();
  box[t] = static_cast<int>(1000 * cluster_index() + 100 * rank + t);
  cluster_sync();
  for (int round = 0; round < rounds; ++round) {
    const int from = round % 2 * 32, to = 32 - from;
    cluster_shared(box, (rank + 1) % blocks)[to + t] = box[from + t];
    cluster_sync();
  }
  out[(cluster_index() * blocks + rank) * 32 + t] = box[rounds % 2 * 32 + t];
}

TEST_CASE("blocks of a cluster reach each other's shared memory, in every order") {
  Stream stream = make_stream(2);
  in_every_order([&] {
    for (const unsigned blocks : {1u, 2u, 4u, 8u, 16u}) {
      constexpr unsigned kClusters = 3, kRounds = 5;
      std::vector<int> out(kClusters * blocks * 32, -1);
      launch_cluster<pass_around>(stream, kClusters, blocks, 32, 64 * sizeof(int), static_cast<int>(kRounds),
                                  out.data());
      bool right = true;
      for (unsigned i = 0; i < out.size(); ++i) {
        const unsigned cluster = i / 32 / blocks, rank = i / 32 % blocks;
        const unsigned origin = (rank + kRounds * (blocks - 1)) % blocks;
        right = right && out[i] == static_cast<int>(1000 * cluster + 100 * origin + i % 32);
      }
      CHECK(right);
    }
  });
}

__global__ void sum_of_warps(int* out) {
  CAIRN_SHARED_DYNAMIC(int, sums);
  const int sum = __reduce_add_sync(kAll, static_cast<int>(threadIdx.x));
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) out[cluster_rank()] = sums[0] + sums[1] + static_cast<int>(1000 * cluster_rank());
}

TEST_CASE("each block of a cluster has warps, barriers and shared memory of its own") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<int> out(4);
    launch_cluster<sum_of_warps>(stream, 1, 4, 64, 2 * sizeof(int), out.data());
    CHECK(out == std::vector<int>{2016, 3016, 4016, 5016});
  });
}

__global__ void who_am_i(unsigned* out) {
  CAIRN_SHARED_DYNAMIC(unsigned, shared);
  if (threadIdx.x == 0) *cluster_shared(shared, 0) = 7;
  cluster_sync();
  if (threadIdx.x == 0) {
    out[3 * blockIdx.x] = cluster_rank();
    out[3 * blockIdx.x + 1] = cluster_blocks();
    out[3 * blockIdx.x + 2] = cluster_index() + *shared;
  }
}

TEST_CASE("a launch without clusters has clusters of one block") {
  Stream stream = make_stream(2);
  std::vector<unsigned> out(9);
  launch<who_am_i>(stream, 3, 32, sizeof(unsigned), out.data());
  CHECK(out == std::vector<unsigned>{0, 1, 7, 0, 1, 8, 0, 1, 9});
}

__global__ void reach(unsigned rank, const int* elsewhere) {
  CAIRN_SHARED_DYNAMIC(int, shared);
  cluster_shared(elsewhere ? elsewhere : shared, rank);
}

TEST_CASE("fault: a block that is not in the cluster, a pointer that is not into shared memory") {
  Stream stream = make_stream(1);
  const int elsewhere = 0;
  const int* none = nullptr;
  check_error([&] { launch_cluster<reach>(stream, 2, 4, 32, 64, 4u, none); },
              {"kernel reach, block (", "there is no block 4 in a cluster of 4"});
  check_error([&] { launch<reach>(stream, 1, 32, 64, 1u, none); }, {"there is no block 1 in a cluster of 1"});
  check_error([&] { launch_cluster<reach>(stream, 1, 4, 32, 64, 1u, &elsewhere); },
              {"the pointer is not into this block's dynamic shared memory"});
  check_error([] { cluster_sync(); }, {"cluster_sync was called outside a kernel"});
  check_error([] { cluster_rank(); }, {"cluster_rank was called outside a kernel"});
}

__global__ void refused_kernel() {}

TEST_CASE("a launch of clusters that a GPU would refuse is an error that says why") {
  Stream stream = make_stream(1);
  const auto refused = [&](unsigned clusters, unsigned blocks, unsigned threads, size_t bytes, const char* reason) {
    check_error([&] { launch_cluster<refused_kernel>(stream, clusters, blocks, threads, bytes); },
                {"launch of kernel refused_kernel", reason});
  };
  refused(1, 0, 32, 0, "a size is zero");
  refused(0, 2, 32, 0, "a size is zero");
  refused(1, 3, 32, 0, "a cluster has 1, 2, 4, 8 or 16 blocks, not 3");
  refused(1, 32, 32, 0, "a cluster has 1, 2, 4, 8 or 16 blocks, not 32");
  refused(1, 2, 48, 0, "whole warps");
  refused(1, 2, 1056, 0, "at most 1024 threads");
  refused(1, 16, 512, 0, "the executor runs clusters of at most 4096 threads");
  refused(1, 2, 32, 227 * 1024 + 1, "a block has at most 232448 bytes of shared memory");
  launch_cluster<refused_kernel>(stream, 1, 16, 256, 227 * 1024);
  CHECK(most_clusters<refused_kernel>(stream, 16, 256, 227 * 1024) == 1);
  CHECK(most_clusters<refused_kernel>(stream, 16, 256, 227 * 1024 + 1) == 0);
}

#if !CAIRN_SIMT_RACE
__global__ void untouched(float* out) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  out[cluster_rank() * 32 + threadIdx.x] = shared[threadIdx.x];
}

TEST_CASE("fault: every block's shared memory starts as nan") {
  Stream stream = make_stream(1);
  std::vector<float> out(4 * 32);
  launch_cluster<untouched>(stream, 1, 4, 32, 32 * sizeof(float), out.data());
  bool all_nan = true;
  for (const float value : out) all_nan = all_nan && value != value;
  CHECK(all_nan);
}
#endif

}  // namespace
}  // namespace cairn::simt
