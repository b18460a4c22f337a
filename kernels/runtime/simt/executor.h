// Runs one launch: every block of a grid on the threads of a pool. Not here: how the threads of a block take turns
// (scheduler.h) and what a kernel may call (collectives.h and its neighbours).
#pragma once

#include <cstddef>
#include <stdexcept>

#include "kernels/runtime/cpu/address_sanitizer.h"
#include "kernels/runtime/cpu/thread_pool.h"
#include "kernels/runtime/simt/kernel_list.h"
#include "kernels/runtime/simt/vocabulary.h"

namespace cairn::simt {

// A fault in a kernel or a launch; what() is one line that names kernel, threads, file and line.
struct Error : std::runtime_error {
  using runtime_error::runtime_error;
};

// The limits of the hardware (sm_80 to sm_90): a launch that a GPU would refuse fails here too.
constexpr unsigned kMaxBlockThreads = 1024;
constexpr unsigned kMaxBlockZ = 64;
constexpr unsigned kMaxGridX = 2147483647;
constexpr unsigned kMaxGridYZ = 65535;
constexpr size_t kMaxSharedBytes = 227 * 1024;
constexpr size_t kSharedAlignment = 1024;   // of dynamic shared memory: what the copy engine's tiles need
constexpr unsigned kMaxClusterBlocks = 16;  // on sm_90, beyond 8 only when it is asked for
// The executor's own: what the fibers of the largest cluster may be. 1024 threads a block then go with 4 blocks.
constexpr unsigned kMaxClusterThreads = 4096;

// A pointer among a kernel's arguments, by which the race detector names places in global memory.
struct PointerArgument {
  const void* address = nullptr;  // null: this argument is not a pointer
  size_t element_size = 1;
};

struct Launch {
  // block: what runs on one OS thread. In a launch of clusters that is a whole cluster: x threads by `cluster` blocks,
  // so that threadIdx.z is the block's rank in it.
  dim3 grid, block;
  size_t shared_bytes;  // of each block
  // Runs the threads begin <= threadIdx.x < end of one row, unless one of them blocks (run_row in host_launch.h).
  void (*run_row)(const void* arguments, unsigned begin, unsigned end);
  const void* arguments;
  const char* signature;  // __PRETTY_FUNCTION__ of launch<kernel>
  const PointerArgument* pointers = nullptr;
  size_t pointer_count = 0;
  unsigned cluster = 0;  // blocks in a cluster; 0: not a launch of clusters
  ListedKernel* listed = nullptr;

  // From one block's dynamic shared memory to the next one's of the cluster; with a forbidden zone between them for
  // AddressSanitizer.
  size_t shared_stride() const {
    const size_t zone = CAIRN_ADDRESS_SANITIZER ? kSharedAlignment : 0;
    return (shared_bytes + kSharedAlignment - 1) / kSharedAlignment * kSharedAlignment + zone;
  }
  unsigned blocks_at_once() const { return cluster ? cluster : 1; }
};

// Returns when all blocks are done. Each thread of the pool runs a contiguous part of the grid, so what runs where
// depends on nothing but the sizes. A kernel's exception is rethrown here; of several, that of the lowest block.
void run(cpu::ThreadPool& pool, const Launch& launch);

}  // namespace cairn::simt
