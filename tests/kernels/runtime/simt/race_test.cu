// Planted races, and what is no race: the race detector's reports. Part of the race-checked program only.
#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

std::string here(int line) {
  return "race_test.cu:" + std::to_string(line);
}

__global__ void left_neighbour(const float* in, float* out) {
  CAIRN_SHARED(float[256], tile);
  const unsigned t = threadIdx.x;
  tile[t] = in[t];
  out[t] = tile[t] + (t ? tile[t - 1] : 0.0f);
}
constexpr int kNeighbourWrite = __LINE__ - 3;
constexpr int kNeighbourRead = __LINE__ - 3;

TEST_CASE("fault: a barrier is missing between write and read of shared memory") {
  Stream stream = make_stream(2);
  const std::vector<float> in = counting(256);
  std::vector<float> out(256);
  check_error([&] { launch<left_neighbour>(stream, 1, 256, 0, in.data(), out.data()); },
              {"kernel left_neighbour, block (0,0,0), thread (1,0,0)", "data race on shared memory tile[0]",
               "read at " + here(kNeighbourRead), "earlier write by thread (0,0,0) at " + here(kNeighbourWrite),
               "no barrier between", "(and 254 more in this block)"});
}

__global__ void reused_tile(const float* in, float* out) {
  CAIRN_SHARED(double[64], tile);
  const unsigned t = threadIdx.x;
  double sum = 0.0;
  for (int i = 0; i < 4; ++i) {
    tile[t] = in[i * 64 + t];
    __syncthreads();
    sum += tile[63 - t];
  }
  out[t] = static_cast<float>(sum);
}
constexpr int kReusedWrite = __LINE__ - 6;
constexpr int kReusedRead = __LINE__ - 5;

TEST_CASE("fault: a loop writes shared memory that others still read") {
  Stream stream = make_stream(2);
  const std::vector<float> in = counting(256);
  std::vector<float> out(64);
  check_error([&] { launch<reused_tile>(stream, 1, 64, 0, in.data(), out.data()); },
              {"kernel reused_tile", "data race on shared memory tile[", here(kReusedWrite), here(kReusedRead)});
}

template <int N>
__global__ void in_template(float* out) {
  CAIRN_SHARED(float4[N], wide);
  wide[threadIdx.x] = make_float4(1.0f, 2.0f, 3.0f, 4.0f);
  out[threadIdx.x] = wide[threadIdx.x / 2].z;
}

TEST_CASE("fault: vector accesses, in a template") {
  Stream stream = make_stream(1);
  std::vector<float> out(32);
  // Thread 1 reads what thread 0 wrote: wide[0].z is float 2 of the array.
  check_error([&] { launch<in_template<32>>(stream, 1, 32, 0, out.data()); },
              {"kernel in_template", "thread (1,0,0)", "shared memory wide[2]", "race_test.cu:"});
}

__global__ void dynamic_race(float* out) {
  CAIRN_SHARED_DYNAMIC(float, tile);
  tile[threadIdx.x] = 1.0f;
  out[threadIdx.x] = tile[threadIdx.x ^ 1];
}
constexpr int kDynamicRead = __LINE__ - 2;

TEST_CASE("fault: dynamic shared memory") {
  Stream stream = make_stream(1);
  std::vector<float> out(64);
  // Thread 0 reads before thread 1 writes.
  check_error(
      [&] { launch<dynamic_race>(stream, 1, 64, 256, out.data()); },
      {"kernel dynamic_race", "thread (0,0,0): read of uninitialised dynamic shared memory[1]", here(kDynamicRead)});
  const ScopedConfig scoped;
  config().order = Order::reverse;
  check_error([&] { launch<dynamic_race>(stream, 1, 64, 256, out.data()); },
              {"thread (63,0,0): read of uninitialised dynamic shared memory[62]", here(kDynamicRead)});
}

__global__ void half_written(float* out) {
  CAIRN_SHARED(float[64], tile);
  if (threadIdx.x < 48) tile[threadIdx.x] = 1.0f;
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x];
}
constexpr int kHalfRead = __LINE__ - 2;

TEST_CASE("fault: shared memory is read that nobody wrote, in a later block too") {
  Stream stream = make_stream(1);
  std::vector<float> out(64);
  for (int i = 0; i < 2; ++i)
    check_error(
        [&] { launch<half_written>(stream, 3, 64, 0, out.data()); },
        {"kernel half_written, block (0,0,0), thread (48,0,0): read of uninitialised shared memory tile[48] at " +
             here(kHalfRead),
         "(and 15 more in this block)"});
}

__global__ void global_race(int64_t count, const float* in, double* out) {
  if (threadIdx.x == 0) out[3] += in[blockIdx.x % count];
}
constexpr int kGlobalLine = __LINE__ - 2;

TEST_CASE("fault: blocks add to the same place without an atomic") {
  Stream stream = make_stream(2);
  const std::vector<float> in(4, 1.0f);
  std::vector<double> out(8, 0.0);
  check_error([&] { launch<global_race>(stream, 4, 64, 0, int64_t{4}, in.data(), out.data()); },
              {"kernel global_race, block (1,0,0), thread (0,0,0)", "data race on global memory, argument 3[3]",
               "earlier write by thread (0,0,0) of block (0,0,0) at " + here(kGlobalLine), "blocks are not ordered"});
}

__global__ void global_in_block(float* out) {
  out[threadIdx.x] = 1.0f;
  out[(threadIdx.x + 1) % 64] = 2.0f;
}
constexpr int kGlobalSecond = __LINE__ - 2;

TEST_CASE("fault: threads of a block write the same place in global memory") {
  Stream stream = make_stream(1);
  std::vector<float> out(64);
  check_error([&] { launch<global_in_block>(stream, 1, 64, 0, out.data()); },
              {"kernel global_in_block", "thread (1,0,0)", "global memory, argument 1[1]: write",
               "earlier write by thread (0,0,0) at " + here(kGlobalSecond), "no barrier between"});
}

__global__ void read_then_write(float* data) {
  if (blockIdx.x == 0) data[100 + threadIdx.x] = data[0];
  if (blockIdx.x == 1) data[200 + threadIdx.x] = data[0];
  if (blockIdx.x == 1 && threadIdx.x == 31) data[0] = 1.0f;
}

TEST_CASE("fault: one block writes what an earlier block read") {
  Stream stream = make_stream(1);
  std::vector<float> data(300, 0.0f);
  check_error([&] { launch<read_then_write>(stream, 2, 32, 0, data.data()); },
              {"kernel read_then_write", "thread (31,0,0)", "argument 1[0]: write", "earlier read by thread"});
}

__global__ void mixed_atomic(int* out) {
  atomicAdd(out, 1);
  if (threadIdx.x == 5) out[0] = 7;
}
constexpr int kMixedAtomic = __LINE__ - 3;

TEST_CASE("fault: a plain write among atomics") {
  Stream stream = make_stream(1);
  int out = 0;
  check_error([&] { launch<mixed_atomic>(stream, 1, 32, 0, &out); },
              {"kernel mixed_atomic", "thread (5,0,0)", "argument 1[0]: write", "earlier atomic by thread (4,0,0)",
               here(kMixedAtomic)});
}

__global__ void without_syncwarp(const float* in, float* out) {
  CAIRN_SHARED(float[32], tile);
  const unsigned t = threadIdx.x;
  tile[t] = in[t];
  __syncwarp();
  for (unsigned distance = 16; distance; distance /= 2) {
    const float sum = tile[t] + tile[(t + distance) % 32];
    tile[t] = sum;
  }
  out[t] = tile[t];
}

__global__ void with_syncwarp(const float* in, float* out) {
  CAIRN_SHARED(float[32], tile);
  const unsigned t = threadIdx.x;
  tile[t] = in[t];
  __syncwarp();
  for (unsigned distance = 16; distance; distance /= 2) {
    const float sum = tile[t] + tile[(t + distance) % 32];
    __syncwarp();
    tile[t] = sum;
    __syncwarp();
  }
  out[t] = tile[t];
}

__global__ void across_warps(float* out) {
  CAIRN_SHARED(float[64], tile);
  tile[threadIdx.x] = 1.0f;
  __syncwarp();  // orders a warp, not the block
  out[threadIdx.x] = tile[threadIdx.x ^ 32];
}

TEST_CASE("fault: a __syncwarp is missing, or used for more than a warp") {
  Stream stream = make_stream(1);
  const std::vector<float> in = counting(32);
  std::vector<float> out(64);
  in_every_order([&] {
    check_error([&] { launch<without_syncwarp>(stream, 1, 32, 0, in.data(), out.data()); },
                {"kernel without_syncwarp", "data race on shared memory tile["});
    launch<with_syncwarp>(stream, 1, 32, 0, in.data(), out.data());
    CHECK(out[0] == 496.0f);
    check_error([&] { launch<across_warps>(stream, 1, 64, 0, out.data()); }, {"kernel across_warps", "tile["});
  });
}

__global__ void copied_without_barrier(const float* in, float* out) {
  CAIRN_SHARED(float[128], tile);
  copy_async16(&tile[threadIdx.x * 4], in + threadIdx.x * 4);
  copy_async_commit();
  copy_async_wait<0>();
  out[threadIdx.x] = tile[threadIdx.x];
}
constexpr int kCopy = __LINE__ - 5;

TEST_CASE("fault: an asynchronous copy is waited for, but the other threads' copies are not") {
  Stream stream = make_stream(1);
  const std::vector<float> in = counting(128);
  std::vector<float> out(32);
  check_error([&] { launch<copied_without_barrier>(stream, 1, 32, 0, in.data(), out.data()); },
              {"kernel copied_without_barrier", "thread (1,0,0)", "shared memory tile[1]",
               "earlier write by thread (0,0,0) at " + here(kCopy)});
}

__global__ void no_race(const float* in, float* out, float* sums) {
  CAIRN_SHARED(float[128], tile);
  CAIRN_SHARED_DYNAMIC(float, extra);
  const unsigned t = threadIdx.x;
  float local[4] = {1.0f, 2.0f, 3.0f, 4.0f};
  for (int i = 0; i < 3; ++i) {
    tile[t] = in[t] + local[(t + static_cast<unsigned>(i)) % 4];
    extra[127 - t] = tile[t];
    __syncthreads();
    out[blockIdx.x * 128 + t] = tile[127 - t] + extra[t];
    __syncthreads();
  }
  atomicAdd(sums, 1.0f);
  atomicAdd(sums + 1, 1.0f);
}

TEST_CASE("what is ordered is not reported, launch after launch") {
  Stream stream = make_stream(2);
  const std::vector<float> in = counting(128);
  std::vector<float> out(3 * 128);
  float sums[2] = {0.0f, 0.0f};
  in_every_order([&] {
    for (int i = 0; i < 3; ++i) launch<no_race>(stream, 3, 128, 512, in.data(), out.data(), static_cast<float*>(sums));
  });
  CHECK(sums[0] == 6.0f * 3.0f * 3.0f * 128.0f);
}

TEST_CASE("a found race leaves the executor usable") {
  Stream stream = make_stream(1);
  const std::vector<float> in = counting(256);
  std::vector<float> out(256);
  float sums[2] = {0.0f, 0.0f};
  for (int i = 0; i < 20; ++i) {
    CHECK_THROWS_AS(launch<left_neighbour>(stream, 2, 256, 0, in.data(), out.data()), Error);
    launch<no_race>(stream, 1, 128, 512, in.data(), out.data(), static_cast<float*>(sums));
  }
}

}  // namespace
}  // namespace cairn::simt
