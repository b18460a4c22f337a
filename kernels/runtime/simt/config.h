// How the executor schedules, for tests: thread order, seed, stack size. Not here: anything a user of a kernel sets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/runtime/simt/build_mode.h"

namespace cairn::simt {

// In which order the threads of a block start and leave a barrier, and in which order blocks run.
enum class Order { forward, reverse, shuffled };

struct Config {
  Order order = Order::forward;
  uint64_t seed = 1;          // of Order::shuffled
  bool allow_exited = false;  // true: exited threads do not count at a barrier, as on sm_70 and later
  // Bytes of each fiber's stack, read when an OS thread runs its first block. Sanitized frames are larger.
  size_t stack_size = CAIRN_ADDRESS_SANITIZER ? 256 * 1024 : 64 * 1024;
};

// The process's settings; first read from CAIRN_SIMT_ORDER=forward|reverse|shuffled and CAIRN_SIMT_SEED=n (a seed alone
// means shuffled). Change it only while no kernel runs.
Config& config();

}  // namespace cairn::simt
