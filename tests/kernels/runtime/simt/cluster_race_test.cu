// Races between the blocks of a cluster, planted, and what is no race. Part of the race-checked program only.
#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

std::string line_of(int line) {
  return "cluster_race_test.cu:" + std::to_string(line);
}

// Each block gives the next one a number; what stands between that and its use is the template's argument.
enum class Between { cluster_sync, syncthreads };

template <Between between>
__global__ void hand_over(float* out) {
  CAIRN_SHARED_DYNAMIC(float, box);
  const unsigned t = threadIdx.x, rank = cluster_rank(), blocks = cluster_blocks();
  cluster_sync();  // all blocks have begun
  cluster_shared(box, (rank + 1) % blocks)[t] = static_cast<float>(rank);
  if (between == Between::cluster_sync)
    cluster_sync();
  else
    __syncthreads();
  out[rank * 64 + t] = box[t];
}
constexpr int kHandWrite = __LINE__ - 7;
constexpr int kHandRead = __LINE__ - 3;

TEST_CASE("fault: __syncthreads where the blocks of a cluster need cluster_sync") {
  Stream stream = make_stream(1);
  std::vector<float> out(4 * 64);
  in_every_order([&] { launch_cluster<hand_over<Between::cluster_sync>>(stream, 1, 4, 64, 256, out.data()); });
  check_error(
      [&] { launch_cluster<hand_over<Between::syncthreads>>(stream, 1, 4, 64, 256, out.data()); },
      {"kernel hand_over", "block (0,0,0), thread (0,0,0)",
       "data race on dynamic shared memory[0] of block 0 of the cluster", "read at " + line_of(kHandRead),
       "earlier write by thread (0,0,0) of block (3,0,0) at " + line_of(kHandWrite), "no cluster_sync between"});
}

// The other way round: a block overwrites what its neighbour may not have read yet.
template <Between between>
__global__ void overwrite(float* out) {
  CAIRN_SHARED_DYNAMIC(float, box);
  const unsigned t = threadIdx.x, rank = cluster_rank();
  box[t] = 1.0f;
  cluster_sync();
  float sum = 0.0f;
  for (unsigned other = 0; other < cluster_blocks(); ++other) sum += cluster_shared(box, other)[t];
  __syncthreads();
  if (between == Between::cluster_sync) cluster_sync();
  box[t] = sum;
  out[rank * 32 + t] = sum;
  cluster_sync();
}
constexpr int kOverRead = __LINE__ - 7;
constexpr int kOverWrite = __LINE__ - 5;

TEST_CASE("fault: a block of a cluster writes what another one still reads") {
  Stream stream = make_stream(1);
  std::vector<float> out(4 * 32);
  in_every_order([&] {
    launch_cluster<overwrite<Between::cluster_sync>>(stream, 1, 4, 32, 128, out.data());
    check_error([&] { launch_cluster<overwrite<Between::syncthreads>>(stream, 1, 4, 32, 128, out.data()); },
                {"kernel overwrite", "of the cluster: write at " + line_of(kOverWrite), "earlier read by thread",
                 "at " + line_of(kOverRead), "no cluster_sync between"});
  });
}

__global__ void without_barrier(float* out) {
  CAIRN_SHARED_DYNAMIC(float, box);
  box[threadIdx.x] = 1.0f;
  out[threadIdx.x] = box[threadIdx.x ^ 1];
}

TEST_CASE("fault: within a block of a cluster a barrier is missing; two clusters are not ordered") {
  Stream stream = make_stream(1);
  std::vector<float> out(128);
  check_error([&] { launch_cluster<without_barrier>(stream, 1, 2, 32, 128, out.data()); },
              {"read of uninitialised dynamic shared memory[1] of block 0 of the cluster"});
  check_error([&] { launch_cluster<hand_over<Between::cluster_sync>>(stream, 2, 2, 64, 256, out.data()); },
              {"global memory, argument 1[0]", "of block (0,0,0)", "blocks are not ordered"});
}

}  // namespace
}  // namespace cairn::simt
