// How the threads of one block take turns on one OS thread. Lives here: the state of a block and the steps that every
// barrier takes. Not here: the grid (executor.cpp), warp collectives (collectives.cpp), texts of errors (report.cpp).
//
// A fiber runs whole rows of CUDA threads in a plain loop. When a thread blocks, the row is split: what the loop has
// finished is counted, the rest goes to other fibers, and row_split makes the loop end when its thread is done. So a
// kernel that never blocks is a loop that the compiler can vectorise, and one that does costs a fiber a thread.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "kernels/runtime/simt/config.h"
#include "kernels/runtime/simt/copy_async.h"
#include "kernels/runtime/simt/executor.h"
#include "kernels/runtime/simt/fiber.h"

namespace cairn::simt {

// A thread that waits at a TransferBarrier, and a box on its way to one (warpgroup.cpp).
struct Parked {
  Fiber* fiber;
  const void* at;
};
struct Transfer {
  const void* barrier;
  int bytes;
  std::function<void()> fetch;
};

// What one OS thread needs to run blocks; the fibers never leave it, so that its address may be kept across a switch.
struct Worker : KernelThread {
  Worker();

  // ---- the block that runs
  Fiber* running = &scheduler;  // while no kernel runs
  Fiber** ready = nullptr;      // fibers released by the last barrier, next one first
  Fiber** ready_end = nullptr;
  Fiber** waiting = nullptr;  // fibers that wait at the barrier, in order of arrival
  Fiber** waiting_end = nullptr;
  unsigned released = 0;  // how many of released_lanes wait to run; they go first
  unsigned thread_count = 0;
  unsigned next = 0;  // threads started
  unsigned finished = 0;
  const char* barrier_file = nullptr;  // where the first of `waiting` waits
  int barrier_line = 0;
  uint3 next_thread{};  // thread `next`, when they start in order
  bool forward = true;
  int votes = 0;        // of __syncthreads_count: so far
  int vote_result = 0;  // and at the last barrier
  const Launch* launch = nullptr;
  void* dynamic_shared = nullptr;
  uint32_t arrived[kMaxClusterThreads / 32];  // lanes that wait at a collective
  Fiber* queues[2][kMaxClusterThreads];       // `ready` and `waiting`, swapped at each barrier
  Fiber* released_lanes[kMaxClusterThreads];  // a stack
  Fiber* by_index[kMaxClusterThreads];        // the fiber of each thread that ever blocked
  uint16_t start_order[kMaxClusterThreads];
  std::exception_ptr failure;
  PendingCopies copies;
  std::vector<Parked> parked;
  std::vector<Transfer> transfers;

  // ---- of the OS thread
  Fiber scheduler;  // the context that starts a block and gets control back at its end
  Stacks stacks;
  struct FreeShared {
    void operator()(unsigned char* memory) const { ::operator delete (memory, std::align_val_t{kSharedAlignment}); }
  };
  using SharedMemory = std::unique_ptr<unsigned char, FreeShared>;
  static SharedMemory allocate_shared(size_t bytes) {
    return SharedMemory(static_cast<unsigned char*>(::operator new (bytes, std::align_val_t{kSharedAlignment})));
  }
  SharedMemory dynamic, arrays;  // behind dynamic_shared and shared_arrays
  size_t dynamic_capacity = 0, arrays_capacity = 0;
  uint64_t random_state = 1;

  bool at_cluster_sync = false;  // the barrier that threads wait at orders the whole cluster

  // ---- for the race detector: barriers and collectives passed
  uint64_t launch_number = 0;
  uint64_t epoch = 0;
  uint64_t cluster_epoch = 0;  // `epoch` after the last barrier that ordered the whole cluster
  uint32_t warp_epoch[kMaxClusterThreads / 32] = {};

  uint64_t random();
  void shuffle(Fiber** begin, Fiber** end);
  // Index in the block of the running CUDA thread.
  unsigned linear_thread() const {
    return row_split ? running->linear : running->linear + (thread.x - running->thread.x);
  }
  bool in_kernel() const { return running != &scheduler; }
  // Which block of its cluster a thread belongs to, by its index in all of the cluster.
  unsigned rank_of(unsigned linear) const { return launch->cluster ? linear / launch->block.x : 0; }
};

// The running OS thread's worker: null until it runs its first block. These eight bytes are all the static thread-local
// storage that there is, so that a barrier reads them without a call; __thread, because thread_local has a wrapper.
extern __thread Worker* current_worker __attribute__((tls_model("initial-exec")));
// The worker, or an Error naming `what` when no kernel runs here.
Worker& worker_in_kernel(const char* what);
Worker& this_threads_worker();

// Runs block blockIdx of the launch to its end; `failure` is set if a thread threw.
void run_block(Worker& worker, const Launch& launch);

// The steps of a blocking call.
void split_row(Worker& worker, Fiber* fiber);
void release_barrier(Worker& worker);
[[noreturn]] void report_deadlock(Worker& worker);

// The next fiber to run, once the caller's own waits.
inline Fiber* pick(Worker& worker) {
  if (worker.released) return worker.released_lanes[--worker.released];
  if (__builtin_expect(worker.ready != worker.ready_end, 1)) return *worker.ready++;
  if (worker.next < worker.thread_count) return worker.stacks.take();
  if (worker.finished == worker.thread_count) return &worker.scheduler;
  if (static_cast<unsigned>(worker.waiting_end - worker.waiting) == worker.thread_count - worker.finished) {
    release_barrier(worker);
    return *worker.ready++;
  }
  report_deadlock(worker);
}

// Sets up what `to` sees and resumes it; done by the one that leaves, so that the switch is a tail call.
__attribute__((always_inline)) inline Fiber* resume(Worker& worker, Fiber* from, Fiber* to) {
  worker.running = to;
  worker.thread = to->thread;
  worker.row_split = 1;
  return switch_fiber(from, to);
}

}  // namespace cairn::simt
