// Planted faults that the executor finds while it schedules: each is an error that names kernel, thread, file and line,
// never a hang, and the executor works on.
#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

// "this file:line"
std::string at(int line) {
  return "divergence_test.cu:" + std::to_string(line);
}

__global__ void leaves_early(float* out, unsigned left) {
  if (threadIdx.x >= left) return;
  __syncthreads();
  out[threadIdx.x] = 1.0f;
}
constexpr int kLeavesEarly = __LINE__ - 3;

TEST_CASE("fault: threads exit before a barrier") {
  Stream stream = make_stream(2);
  in_every_order([&] {
    std::vector<float> out(64);
    check_error([&] { launch<leaves_early>(stream, 1, 64, 0, out.data(), 40u); },
                {"kernel leaves_early", "block (0,0,0)", "barrier divergence", "40 threads, first (0,0,0)",
                 "wait at __syncthreads " + at(kLeavesEarly), "24 threads, first (40,0,0), exited"});
  });
}

template <int kSplit>
__global__ void two_barriers(float* out) {
  if (threadIdx.x < kSplit) {
    out[threadIdx.x] = 1.0f;
    __syncthreads();
  } else {
    out[threadIdx.x] = 2.0f;
    __syncthreads();
  }
}
constexpr int kFirstBarrier = __LINE__ - 6;
constexpr int kSecondBarrier = __LINE__ - 4;

TEST_CASE("fault: threads wait at different barriers") {
  const ScopedConfig scoped;
  config().order = Order::forward;
  Stream stream = make_stream(2);
  std::vector<float> out(64);
  check_error([&] { launch<two_barriers<32>>(stream, 1, 64, 0, out.data()); },
              {"kernel two_barriers", "thread (32,0,0)", "different barriers",
               "32 threads, first (0,0,0), wait at __syncthreads " + at(kFirstBarrier),
               "1 thread, (32,0,0), wait at __syncthreads " + at(kSecondBarrier),
               "31 threads, first (33,0,0), have not started"});
  in_every_order(
      [&] { check_error([&] { launch<two_barriers<32>>(stream, 1, 64, 0, out.data()); }, {"different barriers"}); });
}

__global__ void barrier_against_shuffle(float* out) {
  float value = static_cast<float>(threadIdx.x);
  if (threadIdx.x < 16) {
    value += __shfl_down_sync(kAll, value, 8);
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = value;
}
constexpr int kShuffleHalf = __LINE__ - 6;
constexpr int kBarrierHalf = __LINE__ - 5;

TEST_CASE("fault: half a warp shuffles, half waits at a barrier") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<float> out(32);
    check_error([&] { launch<barrier_against_shuffle>(stream, 1, 32, 0, out.data()); },
                {"kernel barrier_against_shuffle", "deadlock",
                 "16 threads, first (0,0,0), wait at __shfl_down_sync " + at(kShuffleHalf),
                 "16 threads, first (16,0,0), wait at __syncthreads " + at(kBarrierHalf)});
  });
}

__global__ void lane_exits(float* out) {
  if (threadIdx.x == 7) return;
  out[threadIdx.x] = __shfl_xor_sync(kAll, 1.0f, 1);
}
constexpr int kLaneExits = __LINE__ - 2;

TEST_CASE("fault: a lane named in the mask has exited") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<float> out(32);
    check_error(
        [&] { launch<lane_exits>(stream, 1, 32, 0, out.data()); },
        {"kernel lane_exits", "deadlock", "wait at __shfl_xor_sync " + at(kLaneExits), "1 thread, (7,0,0), exited"});
  });
}

__global__ void reads_outside_mask(float* out) {
  float value = static_cast<float>(threadIdx.x);
  if (threadIdx.x < 16) value = __shfl_sync(0x0000ffffu, value, 20);
  out[threadIdx.x] = value;
}
constexpr int kOutsideMask = __LINE__ - 3;

TEST_CASE("fault: a shuffle reads a lane outside its mask") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<float> out(32);
    check_error([&] { launch<reads_outside_mask>(stream, 1, 32, 0, out.data()); },
                {"kernel reads_outside_mask", "__shfl_sync at " + at(kOutsideMask), "thread (0,0,0) reads lane 20",
                 "not in the mask"});
  });
}

__global__ void not_in_own_mask(float* out) {
  out[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, 1.0f, 1);
}
constexpr int kOwnMask = __LINE__ - 2;

TEST_CASE("fault: a lane calls with a mask that leaves it out") {
  const ScopedConfig scoped;
  config().order = Order::forward;
  Stream stream = make_stream(1);
  std::vector<float> out(32);
  check_error(
      [&] { launch<not_in_own_mask>(stream, 1, 32, 0, out.data()); },
      {"kernel not_in_own_mask", "thread (16,0,0)", "__shfl_xor_sync at " + at(kOwnMask), "not in its own mask"});
}

__global__ void different_masks(float* out) {
  const unsigned mask = threadIdx.x == 3 ? 0x0000000fu : kAll;
  out[threadIdx.x] = __shfl_xor_sync(mask, 1.0f, 1);
}

__global__ void different_collectives(float* out) {
  float value = 1.0f;
  if (threadIdx.x % 2) {
    value = __shfl_xor_sync(kAll, value, 1);
  } else {
    value = static_cast<float>(__ballot_sync(kAll, 1));
  }
  out[threadIdx.x] = value;
}

__global__ void bad_width(float* out) {
  out[threadIdx.x] = __shfl_xor_sync(kAll, 1.0f, 1, 12);
}
constexpr int kBadWidth = __LINE__ - 2;

TEST_CASE("fault: lanes of one mask do not agree") {
  Stream stream = make_stream(1);
  std::vector<float> out(32);
  in_every_order([&] {
    check_error([&] { launch<different_masks>(stream, 1, 32, 0, out.data()); },
                {"kernel different_masks", "warp collective mismatch", "divergence_test.cu:"});
    check_error([&] { launch<different_collectives>(stream, 1, 32, 0, out.data()); },
                {"kernel different_collectives", "warp collective mismatch", "__shfl_xor_sync", "__ballot_sync"});
  });
  check_error([&] { launch<bad_width>(stream, 1, 32, 0, out.data()); },
              {"kernel bad_width", "__shfl_xor_sync at " + at(kBadWidth), "width 12"});
}

__global__ void in_block(unsigned block) {
  if (blockIdx.x >= block && threadIdx.y == 1) return;
  __syncthreads();
}

TEST_CASE("fault: of several, that of the first block is reported, on any number of threads") {
  const ScopedConfig scoped;
  config().order = Order::forward;
  for (const int threads : {1, 2, 4}) {
    Stream stream = make_stream(threads);
    check_error([&] { launch<in_block>(stream, 64, dim3(4, 2), 0, 37u); }, {"kernel in_block, block (37,0,0)"});
  }
}

__global__ void throws_in_thread(int thread) {
  __syncthreads();
  if (static_cast<int>(threadIdx.x) == thread) throw std::runtime_error("thrown by a kernel thread");
  __syncthreads();
}

__global__ void doubles(const float* in, float* out) {
  CAIRN_SHARED(float[64], tile);
  tile[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = 2.0f * tile[63 - threadIdx.x];
}

TEST_CASE("the executor is usable after errors, 200 times in a row") {
  Stream stream = make_stream(2);
  const std::vector<float> in = counting(64);
  for (int i = 0; i < 200; ++i) {
    std::vector<float> out(64);
    REQUIRE(error_of([&] { launch<throws_in_thread>(stream, 4, 64, 0, i % 64); }) == "thrown by a kernel thread");
    CHECK_THROWS_AS(launch<leaves_early>(stream, 3, 64, 0, out.data(), 1u + i % 60), Error);
    CHECK_THROWS_AS(launch<lane_exits>(stream, 3, 64, 0, out.data()), Error);
    launch<doubles>(stream, 1, 64, 0, in.data(), out.data());
    for (size_t k = 0; k < 64; ++k) REQUIRE(out[k] == 2.0f * static_cast<float>(63 - k));
  }
}

TEST_CASE("kernel functions outside a kernel are errors") {
  check_error([] { __syncthreads(); }, {"__syncthreads", "outside a kernel"});
  check_error([] { __syncthreads_count(1); }, {"__syncthreads_count", "outside a kernel"});
  check_error([] { __syncwarp(); }, {"__syncwarp", "outside a kernel"});
  check_error([] { __shfl_sync(kAll, 1, 0); }, {"__shfl_sync", "outside a kernel"});
  check_error([] { dynamic_shared(); }, {"CAIRN_SHARED_DYNAMIC", "outside a kernel"});
  check_error([] { copy_async_wait<0>(); }, {"copy_async_wait", "outside a kernel"});
}

}  // namespace
}  // namespace cairn::simt
