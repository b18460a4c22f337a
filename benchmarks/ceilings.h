// What this machine can do at most, measured by small loops in the same run as the kernels. Not here: what a call needs
// (costs.h).
#pragma once

#include <string>

#include "kernels/backend.h"

namespace cairn::benchmarks {

struct Ceilings {
  double flops = 0;             // multiply-adds counted as two, per second, on all threads
  double flops_one_thread = 0;  // 0 on a GPU
  double bandwidth = 0;         // bytes per second to and from memory, on all threads
  double cache_bandwidth = 0;   // the same within `working_set` bytes; 0 if not asked for
  double working_set = 0;
  int threads = 0;
  std::string how;  // in a sentence
};

// The CPU: independent chains of vector multiply-adds in registers, and reading, copying and adding arrays of four
// times the last-level cache; the best of a few tries each. Bytes are counted as the loop names them: what a write
// first fetches is not counted. working_set: bytes of a second measurement of the bandwidth, 0 = none.
Ceilings measure_cpu(int threads, size_t working_set);

// A GPU, through the seam: a large copy within its memory, and the best large matrix product of any implementation, so
// that the arithmetic is a lower bound of the hardware's. Not yet run on a GPU.
Ceilings measure_gpu(Precision precision);

// Its loops on one implementation, with matrices of size x size random numbers and a copy of `bytes`: raises what the
// ceilings have. Apart so that a test can look at the data.
void measure_device(const Backend& backend, Precision precision, int64_t size, size_t bytes, Ceilings& ceilings);

}  // namespace cairn::benchmarks
