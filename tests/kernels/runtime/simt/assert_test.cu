// Assertions and exceptions inside kernels: doctest's CHECK and REQUIRE work in a fiber. Not part of the race-checked
// program, because doctest's own counters are shared by all threads.
#include "tests/kernels/runtime/simt/simt_test.h"

namespace cairn::simt {
namespace {

__global__ void checks(const float* in) {
  CAIRN_SHARED(float[64], tile);
  tile[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  CHECK(tile[threadIdx.x] >= 0.0f);
  if (threadIdx.x == 40) REQUIRE(tile[63 - threadIdx.x] == 23.0f);
}

TEST_CASE("assertions in kernels") {
  Stream stream = make_stream(1);
  const std::vector<float> in = counting(64);
  in_every_order([&] { launch<checks>(stream, 1, 64, 0, in.data()); });
}

__global__ void requires_too_much() {
  __syncthreads();
  if (threadIdx.x == 17 && blockIdx.x == 3) REQUIRE(threadIdx.x == 18);
  __syncthreads();
}

TEST_CASE("a REQUIRE that fails in a kernel ends the test case" * doctest::should_fail()) {
  Stream stream = make_stream(1);
  launch<requires_too_much>(stream, 8, 64, 0);
  MESSAGE("not reached");
}

struct OwnException {
  int thread;
};

__global__ void throws_own(int thread) {
  if (static_cast<int>(threadIdx.x) == thread) throw OwnException{thread};
  __syncthreads();
}

TEST_CASE("an exception of any type reaches the caller of launch") {
  Stream stream = make_stream(2);
  in_every_order([&] {
    int caught = -1;
    try {
      launch<throws_own>(stream, 2, 64, 0, 33);
    } catch (const OwnException& exception) {
      caught = exception.thread;
    }
    CHECK(caught == 33);
  });
}

}  // namespace
}  // namespace cairn::simt
