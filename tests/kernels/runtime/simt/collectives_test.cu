// Warp shuffles, votes and reductions, and atomics, with the right result in every thread order.
#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

struct Shuffles {
  int direct, up, down, exchanged, narrow, narrow_up, wrapped;
};

__global__ void shuffles(Shuffles* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  Shuffles& mine = out[threadIdx.x];
  mine.direct = __shfl_sync(kAll, lane * 10, 5);
  mine.up = __shfl_up_sync(kAll, lane, 3);
  mine.down = __shfl_down_sync(kAll, lane, 3);
  mine.exchanged = __shfl_xor_sync(kAll, lane, 9);
  mine.narrow = __shfl_sync(kAll, lane, 2, 8);
  mine.narrow_up = __shfl_up_sync(kAll, lane, 1, 4);
  mine.wrapped = __shfl_sync(kAll, lane, lane + 30);
}

TEST_CASE("shuffles read the lane that CUDA says") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<Shuffles> out(96);
    launch<shuffles>(stream, 1, 96, 0, out.data());
    for (int i = 0; i < 96; ++i) {
      const int lane = i % 32;
      REQUIRE(out[i].direct == 50);
      REQUIRE(out[i].up == (lane < 3 ? lane : lane - 3));
      REQUIRE(out[i].down == (lane > 28 ? lane : lane + 3));
      REQUIRE(out[i].exchanged == (lane ^ 9));
      REQUIRE(out[i].narrow == lane / 8 * 8 + 2);
      REQUIRE(out[i].narrow_up == (lane % 4 == 0 ? lane : lane - 1));
      REQUIRE(out[i].wrapped == (lane + 30) % 32);
    }
  });
}

template <class T>
__global__ void rotate(const T* in, T* out) {
  out[threadIdx.x] = __shfl_sync(kAll, in[threadIdx.x], static_cast<int>(threadIdx.x) + 1);
}

template <class T>
void check_rotate(Stream& stream) {
  std::vector<T> in(32), out(32);
  for (int i = 0; i < 32; ++i) in[i] = static_cast<T>(i - 7);
  launch<rotate<T>>(stream, 1, 32, 0, in.data(), out.data());
  for (int i = 0; i < 32; ++i) REQUIRE(out[i] == in[(i + 1) % 32]);
}

TEST_CASE("shuffles carry every type of up to eight bytes") {
  Stream stream = make_stream(1);
  check_rotate<signed char>(stream);
  check_rotate<short>(stream);
  check_rotate<int>(stream);
  check_rotate<unsigned>(stream);
  check_rotate<float>(stream);
  check_rotate<double>(stream);
  check_rotate<long long>(stream);
}

struct Votes {
  unsigned ballot;
  int any, all, none;
  unsigned sum, minimum, maximum, both, either, odd;
  int lowest, highest;
};

__global__ void vote(Votes* out) {
  const unsigned lane = threadIdx.x;
  const unsigned value = lane + 4;
  Votes& mine = out[lane];
  mine.ballot = __ballot_sync(kAll, lane % 4 == 1);
  mine.any = __any_sync(kAll, lane == 9);
  mine.all = __all_sync(kAll, lane < 32);
  mine.none = __any_sync(kAll, lane == 32);
  mine.sum = __reduce_add_sync(kAll, value);
  mine.minimum = __reduce_min_sync(kAll, value);
  mine.maximum = __reduce_max_sync(kAll, value);
  mine.both = __reduce_and_sync(kAll, value | 64);
  mine.either = __reduce_or_sync(kAll, value);
  mine.odd = __reduce_xor_sync(kAll, value);
  mine.lowest = __reduce_min_sync(kAll, static_cast<int>(lane) - 16);
  mine.highest = __reduce_max_sync(kAll, static_cast<int>(lane) - 40);
}

TEST_CASE("votes and reductions") {
  Stream stream = make_stream(1);
  unsigned sum = 0, both = ~0u, either = 0, odd = 0;
  for (unsigned value = 4; value < 36; ++value) {
    sum += value;
    both &= value | 64;
    either |= value;
    odd ^= value;
  }
  in_every_order([&] {
    std::vector<Votes> out(32);
    launch<vote>(stream, 1, 32, 0, out.data());
    for (const Votes& got : out) {
      REQUIRE(got.ballot == 0x22222222u);
      REQUIRE(got.any == 1);
      REQUIRE(got.all == 1);
      REQUIRE(got.none == 0);
      REQUIRE(got.sum == sum);
      REQUIRE(got.minimum == 4);
      REQUIRE(got.maximum == 35);
      REQUIRE(got.both == both);
      REQUIRE(got.either == either);
      REQUIRE(got.odd == odd);
      REQUIRE(got.lowest == -16);
      REQUIRE(got.highest == -9);
    }
  });
}

__global__ void partial(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  int value = lane;
  if (lane < 8) value = __shfl_xor_sync(0x000000ffu, value, 1);  // only these lanes take part
  __syncwarp();
  if (lane >= 16) value += __shfl_sync(0xffff0000u, value, 16);
  out[lane] = value;
}

TEST_CASE("collectives of a part of a warp") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<int> out(32);
    launch<partial>(stream, 1, 32, 0, out.data());
    for (int i = 0; i < 32; ++i) REQUIRE(out[i] == (i < 8 ? i ^ 1 : i < 16 ? i : i + 16));
  });
}

__global__ void short_warp(float* out) {
  out[threadIdx.x] = __shfl_xor_sync(kAll, static_cast<float>(threadIdx.x), 1);
}

TEST_CASE("the last warp of a block may be short") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    std::vector<float> out(44);
    launch<short_warp>(stream, 1, 44, 0, out.data());
    for (int i = 0; i < 44; ++i) REQUIRE(out[i] == static_cast<float>(i ^ 1));
  });
}

__global__ void exchange_through_warp(const float* in, float* out) {
  CAIRN_SHARED(float[64], tile);
  tile[threadIdx.x] = in[threadIdx.x];
  __syncwarp();
  const float other = tile[threadIdx.x ^ 5];
  __syncwarp();
  out[threadIdx.x] = other;
}

TEST_CASE("__syncwarp orders shared memory within a warp") {
  Stream stream = make_stream(1);
  in_every_order([&] {
    const std::vector<float> in = counting(64);
    std::vector<float> out(64);
    launch<exchange_through_warp>(stream, 1, 64, 0, in.data(), out.data());
    for (unsigned i = 0; i < 64; ++i) REQUIRE(out[i] == static_cast<float>(i ^ 5));
  });
}

__global__ void whole_warps_leave(float* out, unsigned rows) {
  const unsigned row = blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  float value = 1.0f;
  for (int distance = 16; distance; distance /= 2) value += __shfl_xor_sync(kAll, value, distance);
  if (threadIdx.x % 32 == 0) out[row] = value;
}

TEST_CASE("whole warps may exit in kernels that only use warp collectives") {
  Stream stream = make_stream(2);
  in_every_order([&] {
    std::vector<float> out(9, 0.0f);
    launch<whole_warps_leave>(stream, 3, 128, 0, out.data(), 9u);
    for (const float value : out) REQUIRE(value == 32.0f);
  });
}

struct Counters {
  int sum, minimum, maximum, bits, odd;
  unsigned left;
  unsigned long long wide;
  float real;
  double precise;
  int taken;
};

__global__ void count(Counters* out, int* old) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  old[i] = atomicAdd(&out->sum, 1);
  atomicMin(&out->minimum, i - 5);
  atomicMax(&out->maximum, i);
  atomicOr(&out->bits, 1 << i % 8);
  atomicXor(&out->odd, 1);
  atomicSub(&out->left, 1u);
  atomicAdd(&out->wide, 1ull << 33);
  atomicAdd(&out->real, 0.5f);
  atomicAdd(&out->precise, 0.25);
  if (atomicCAS(&out->taken, 0, i + 1) == 0) atomicExch(&out->taken, -1);
}

TEST_CASE("atomics count every thread of every block once") {
  for (const int threads : {1, 3}) {
    Stream stream = make_stream(threads);
    in_every_order([&] {
      Counters got{};
      got.left = 4000;
      std::vector<int> old(40 * 96);
      launch<count>(stream, 40, 96, 0, &got, old.data());
      CHECK(got.sum == 3840);
      CHECK(got.minimum == -5);
      CHECK(got.maximum == 3839);
      CHECK(got.bits == 255);
      CHECK(got.odd == 0);
      CHECK(got.left == 160);
      CHECK(got.wide == 3840ull << 33);
      CHECK(got.real == 1920.0f);
      CHECK(got.precise == 960.0);
      CHECK(got.taken == -1);
      std::vector<bool> seen(old.size());
      for (const int value : old) seen[static_cast<size_t>(value)] = true;
      size_t missing = 0;
      for (const bool one : seen) missing += !one;
      CHECK(missing == 0);
    });
  }
}

}  // namespace
}  // namespace cairn::simt
