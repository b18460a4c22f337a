// Barriers, shared memory and early exits: what kernels may do, with the right result in every thread order.
#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

__global__ void reverse_in_block(const float* in, float* out) {
  CAIRN_SHARED(float[1024], tile);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  tile[thread] = in[block * threads + thread];
  __syncthreads();
  out[block * threads + thread] = tile[threads - 1 - thread];
}

void check_reverse(Stream& stream, dim3 grid, dim3 block) {
  const size_t threads = block.x * block.y * block.z;
  const std::vector<float> in = counting(threads * grid.x * grid.y * grid.z);
  std::vector<float> out(in.size(), -1.0f);
  launch<reverse_in_block>(stream, grid, block, 0, in.data(), out.data());
  size_t wrong = 0;
  for (size_t i = 0; i < in.size(); ++i) wrong += out[i] != in[i / threads * threads + threads - 1 - i % threads];
  CHECK(wrong == 0);
}

TEST_CASE("a barrier orders shared memory, for blocks and grids of every shape") {
  for (const int threads : {1, 2, 3}) {
    Stream stream = make_stream(threads);
    in_every_order([&] {
      check_reverse(stream, 1, 1);
      check_reverse(stream, 1, 31);
      check_reverse(stream, 7, 33);
      check_reverse(stream, dim3(3, 2, 2), dim3(5, 3, 2));
      check_reverse(stream, 2, dim3(16, 16, 4));
      check_reverse(stream, 2, dim3(1, 1, 64));
      check_reverse(stream, dim3(2, 2), 1024);
    });
  }
}

__global__ void many_barriers(float* out, int rounds) {
  CAIRN_SHARED(float[64], tile);
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  for (int i = 0; i < rounds; ++i) {
    __syncthreads();
    const float next = tile[(threadIdx.x + 1) % 64];
    __syncthreads();
    tile[threadIdx.x] = next;
  }
  out[threadIdx.x] = tile[threadIdx.x];
}

TEST_CASE("threads keep in step over hundreds of barriers") {
  Stream stream = make_stream(2);
  in_every_order([&] {
    std::vector<float> out(64);
    launch<many_barriers>(stream, 1, 64, 0, out.data(), 200);
    for (size_t i = 0; i < 64; ++i) REQUIRE(out[i] == static_cast<float>((i + 200) % 64));
  });
}

__global__ void block_sum_of_powers(int* out, int barriers_in_even_blocks) {
  // Threads of odd blocks never block, those of even blocks do: each block decides for itself.
  if (blockIdx.x % 2 == 0)
    for (int i = 0; i < barriers_in_even_blocks; ++i) __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = static_cast<int>(threadIdx.x);
}

TEST_CASE("some blocks of a launch may block and others not") {
  Stream stream = make_stream(2);
  in_every_order([&] {
    std::vector<int> out(10 * 48, -1);
    launch<block_sum_of_powers>(stream, 10, 48, 0, out.data(), 3);
    for (size_t i = 0; i < out.size(); ++i) REQUIRE(out[i] == static_cast<int>(i % 48));
  });
}

__global__ void votes(int* out) {
  const int count = __syncthreads_count(threadIdx.x % 3 == 0);
  const int any = __syncthreads_or(threadIdx.x == 40);
  const int none = __syncthreads_or(threadIdx.x == 4000);
  const int all = __syncthreads_and(threadIdx.x < 100);
  const int not_all = __syncthreads_and(threadIdx.x != 17);
  out[threadIdx.x] = count * 16 + any * 8 + none * 4 + all * 2 + not_all;
}

TEST_CASE("barriers that vote") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<int> out(96);
    launch<votes>(stream, 1, 96, 0, out.data());
    for (const int value : out) REQUIRE(value == 32 * 16 + 8 + 2);
  });
}

__global__ void only_full_blocks(float* out, int blocks) {
  CAIRN_SHARED(float[32], tile);
  if (static_cast<int>(blockIdx.x) >= blocks) return;  // the whole block leaves before the barrier
  tile[threadIdx.x] = 1.0f;
  __syncthreads();
  out[blockIdx.x * 32 + threadIdx.x] = tile[31 - threadIdx.x];
}

TEST_CASE("whole blocks may exit before a barrier") {
  Stream stream = make_stream(2);
  in_every_order([&] {
    std::vector<float> out(5 * 32, 0.0f);
    launch<only_full_blocks>(stream, 5, 32, 0, out.data(), 3);
    for (size_t i = 0; i < out.size(); ++i) REQUIRE(out[i] == (i < 3 * 32 ? 1.0f : 0.0f));
  });
}

__global__ void some_exit(float* out, unsigned left) {
  CAIRN_SHARED(float[64], tile);
  if (threadIdx.x >= left) return;
  tile[threadIdx.x] = 2.0f;
  __syncthreads();
  out[threadIdx.x] = tile[left - 1 - threadIdx.x];
}

TEST_CASE("allow_exited counts exited threads out of a barrier, as newer hardware does") {
  const ScopedConfig scoped;
  Stream stream = make_stream(1);
  in_every_order([&] {
    config().allow_exited = true;
    std::vector<float> out(64, 0.0f);
    launch<some_exit>(stream, 1, 64, 0, out.data(), 40u);
    for (size_t i = 0; i < 64; ++i) REQUIRE(out[i] == (i < 40 ? 2.0f : 0.0f));
    config().allow_exited = false;
    CHECK_THROWS_AS(launch<some_exit>(stream, 1, 64, 0, out.data(), 40u), Error);
  });
}

__global__ void dynamic_tile(const float* in, float* out) {
  CAIRN_SHARED_DYNAMIC(float, tile);
  tile[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

TEST_CASE("dynamic shared memory") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    for (const unsigned threads : {1u, 33u, 1024u}) {
      const std::vector<float> in = counting(threads);
      std::vector<float> out(2 * threads);
      launch<dynamic_tile>(stream, 2, threads, threads * sizeof(float), in.data(), out.data());
      for (unsigned i = 0; i < 2 * threads; ++i) REQUIRE(out[i] == static_cast<float>(threads - 1 - i % threads));
    }
  });
}

}  // namespace
}  // namespace cairn::simt
