#include "kernels/runtime/simt/executor.h"

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>
#include <string>

#include "kernels/runtime/simt/kernel_name.h"
#include "kernels/runtime/simt/race.h"
#include "kernels/runtime/simt/report.h"
#include "kernels/runtime/simt/scheduler.h"
#include "kernels/runtime/simt/shared_memory.h"

#if CAIRN_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace cairn::simt {
namespace {

// One cluster is laid out as one block (see Launch).
void check_cluster_limits(const Launch& launch, const std::function<void(const std::string&)>& refuse) {
  const unsigned threads = launch.block.x, blocks = launch.cluster;
  if (blocks > kMaxClusterBlocks || (blocks & (blocks - 1)) != 0)
    refuse("a cluster has 1, 2, 4, 8 or 16 blocks, not " + std::to_string(blocks));
  if (threads > kMaxBlockThreads || threads % 32 != 0)
    refuse("a block of a cluster has whole warps and at most 1024 threads");
  if (threads * blocks > kMaxClusterThreads)
    refuse("the executor runs clusters of at most " + std::to_string(kMaxClusterThreads) + " threads");
  if (uint64_t{launch.grid.x} * blocks > kMaxGridX) refuse("a grid has at most 2147483647 blocks in x");
  if (launch.shared_bytes > kMaxSharedBytes)
    refuse("a block has at most " + std::to_string(kMaxSharedBytes) + " bytes of shared memory");
}

void check_limits(const Launch& launch) {
  const dim3 grid = launch.grid;
  const dim3 block = launch.block;
  const auto refuse = [&](const std::string& reason) {
    throw Error("launch of kernel " + kernel_name(launch.signature) + " with grid " +
                text_of({grid.x, grid.y, grid.z}) + ", block " + text_of({block.x, block.y, block.z}) + " and " +
                std::to_string(launch.shared_bytes) + " bytes of shared memory: " + reason);
  };
  if (!grid.x || !grid.y || !grid.z || !block.x || !block.y || !block.z) refuse("a size is zero");
  if (launch.cluster) return check_cluster_limits(launch, refuse);
  if (grid.x > kMaxGridX || grid.y > kMaxGridYZ || grid.z > kMaxGridYZ)
    refuse("a grid has at most 2147483647 x 65535 x 65535 blocks");
  if (block.x > kMaxBlockThreads || block.y > kMaxBlockThreads || block.z > kMaxBlockZ ||
      uint64_t{block.x} * block.y * block.z > kMaxBlockThreads)
    refuse("a block has at most 1024 threads, and at most 64 in z");
  if (launch.shared_bytes > kMaxSharedBytes)
    refuse("a block has at most " + std::to_string(kMaxSharedBytes) + " bytes of shared memory");
}

size_t& reserved_arrays() {
  static size_t bytes = 0;  // a static object's constructor asks for it
  return bytes;
}

void prepare_shared_arrays(Worker& worker) {
  const size_t bytes = reserved_shared_bytes();
  if (bytes <= worker.arrays_capacity) return;
  worker.arrays = Worker::allocate_shared(bytes);
  worker.arrays_capacity = bytes;
  worker.shared_arrays = worker.arrays.get();
}

void prepare_dynamic_shared(Worker& worker, const Launch& launch) {
  if (!launch.shared_bytes) return;
  // The last block needs no room after it.
  const size_t bytes = (launch.blocks_at_once() - 1) * launch.shared_stride() + launch.shared_bytes;
#if !CAIRN_ADDRESS_SANITIZER  // which gets the exact size each time: red zones on both sides
  if (bytes <= worker.dynamic_capacity) return;
#endif
  worker.dynamic = Worker::allocate_shared(bytes);
  worker.dynamic_capacity = bytes;
  worker.dynamic_shared = worker.dynamic.get();
#if CAIRN_ADDRESS_SANITIZER
  for (size_t end = launch.shared_bytes; end < bytes; end += launch.shared_stride())
    ASAN_POISON_MEMORY_REGION(worker.dynamic.get() + end, launch.shared_stride() - launch.shared_bytes);
#endif
}

// Which block of the grid is the i-th to run: the orders of Config, for blocks.
class BlockOrder {
 public:
  BlockOrder(const Config& settings, int64_t count) : order_(settings.order), count_(static_cast<uint64_t>(count)) {
    if (order_ != Order::shuffled) return;
    // i -> i * step + offset is a permutation, as step and count have no common factor.
    const uint64_t mixed = (settings.seed + 1) * 0x9E3779B97F4A7C15ull;
    offset_ = (mixed >> 32) % count_;
    step_ = 1 + (mixed >> 33) % 65521;
    while (std::gcd(step_, count_) != 1) ++step_;
  }
  int64_t operator()(int64_t i) const {
    if (__builtin_expect(order_ == Order::forward, 1)) return i;
    const auto index = static_cast<uint64_t>(i);
    return static_cast<int64_t>(order_ == Order::reverse ? count_ - 1 - index : (index * step_ + offset_) % count_);
  }

 private:
  Order order_;
  uint64_t count_;
  uint64_t step_ = 1;
  uint64_t offset_ = 0;
};

// The failure of the first block in running order; blocks after it need not run.
struct FirstFailure {
  std::atomic<int64_t> position;
  std::mutex mutex;
  std::exception_ptr failure;

  explicit FirstFailure(int64_t blocks) : position(blocks) {}
  void report(int64_t at, std::exception_ptr what) {
    const std::lock_guard lock(mutex);
    if (failure && at >= position.load()) return;
    failure = std::move(what);
    position.store(at);
  }
};

void run_blocks(const Launch& launch, const BlockOrder& order, int64_t begin, int64_t end, uint64_t launch_number,
                FirstFailure& first) {
  int64_t i = begin;
  try {
    Worker& worker = this_threads_worker();
    prepare_shared_arrays(worker);
    prepare_dynamic_shared(worker, launch);
    worker.launch_number = launch_number;
    const unsigned blocks = launch.blocks_at_once();
    worker.grid_size = dim3(launch.grid.x * blocks, launch.grid.y, launch.grid.z);
    worker.block_size = launch.cluster ? dim3(launch.block.x) : launch.block;
    for (; i < end && i < first.position.load(std::memory_order_relaxed); ++i) {
      const int64_t block = order(i);
      const int64_t row = block / launch.grid.x;
      worker.block = {static_cast<unsigned>(block % launch.grid.x) * blocks, static_cast<unsigned>(row % launch.grid.y),
                      static_cast<unsigned>(row / launch.grid.y)};
      run_block(worker, launch);
      if (__builtin_expect(worker.failure != nullptr, 0))
        std::rethrow_exception(std::exchange(worker.failure, nullptr));
#if CAIRN_SIMT_RACE
      throw_found_race(worker);
#endif
    }
  } catch (...) {
    first.report(i, std::current_exception());
  }
}

}  // namespace

size_t reserve_shared(size_t bytes) {
  constexpr size_t kAlignment = 64;
  return std::exchange(reserved_arrays(), reserved_arrays() + (bytes + kAlignment - 1) / kAlignment * kAlignment);
}

size_t reserved_shared_bytes() {
  return reserved_arrays();
}

void run(cpu::ThreadPool& pool, const Launch& launch) {
  check_limits(launch);
  if (current_worker && current_worker->in_kernel())
    throw Error("launch of kernel " + kernel_name(launch.signature) + " from inside a kernel");
  static std::atomic<uint64_t> launches{0};
  const uint64_t launch_number = ++launches;
  if (launch.listed) launch.listed->launched.store(true, std::memory_order_relaxed);
  const int64_t blocks = int64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  const BlockOrder order(config(), blocks);
  FirstFailure first(blocks);
#if CAIRN_SIMT_ONE_THREAD
  static std::mutex one_launch_at_a_time;
  const std::lock_guard lock(one_launch_at_a_time);
  static_cast<void>(pool);
  run_blocks(launch, order, 0, blocks, launch_number, first);
#else
  pool.parallel_for(blocks, 1,
                    [&](int64_t begin, int64_t end) { run_blocks(launch, order, begin, end, launch_number, first); });
#endif
  if (first.failure) std::rethrow_exception(first.failure);
}

}  // namespace cairn::simt
