#include "kernels/runtime/simt/scheduler.h"

#include <pthread.h>

#include <cstring>
#include <utility>

#include "kernels/runtime/simt/report.h"

namespace cairn::simt {

__thread Worker* current_worker __attribute__((tls_model("initial-exec")));

KernelThread& kernel_thread() noexcept {
  static KernelThread outside;  // of a kernel nothing is defined: zeros, no crash
  return current_worker ? *current_worker : outside;
}

namespace {

// Moves to the thread after `thread` in a block.
void advance_row(uint3& thread, const dim3& block) {
  thread.x = 0;
  if (++thread.y == block.y) {
    thread.y = 0;
    ++thread.z;
  }
}

// Runs rows until none are left to start, or until a thread blocks and finishes.
void run_rows(Worker& worker, Fiber* fiber) {
  const Launch& launch = *worker.launch;
  const dim3 block = launch.block;
  while (worker.next < worker.thread_count) {
    unsigned end;
    if (worker.forward) {  // the rest of a row
      fiber->linear = worker.next;
      fiber->thread = worker.next_thread;
      end = block.x;
      worker.next += end - worker.next_thread.x;
      advance_row(worker.next_thread, block);
    } else {
      fiber->linear = worker.start_order[worker.next++];
      fiber->thread = thread_at(block, fiber->linear);
      end = fiber->thread.x + 1;
    }
    const unsigned begin = fiber->thread.x;
    worker.thread = fiber->thread;
    worker.row_split = 0;
    launch.run_row(launch.arguments, begin, end);
    worker.finished += worker.row_split ? 1 : end - begin;
  }
}

// What every fiber runs, again and again.
void fiber_main() {
#if CAIRN_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  for (;;) {
    Worker& worker = *current_worker;
    Fiber* fiber = worker.running;
    Fiber* to;
    try {
      run_rows(worker, fiber);
      worker.stacks.give_back(fiber);
      to = pick(worker);
    } catch (...) {
      worker.failure = std::current_exception();
      to = &worker.scheduler;  // this fiber and all suspended ones are abandoned
    }
    resume(worker, fiber, to);
  }
}

void choose_start_order(Worker& worker, const Config& settings) {
  const unsigned count = worker.thread_count;
  for (unsigned i = 0; i < count; ++i)
    worker.start_order[i] = static_cast<uint16_t>(settings.order == Order::reverse ? count - 1 - i : i);
  if (settings.order != Order::shuffled) return;
  const uint64_t block = worker.block.x + 0x10001ull * worker.block.y + 0x1000003ull * worker.block.z;
  worker.random_state = (settings.seed * 0x9E3779B97F4A7C15ull ^ block) | 1;
  for (unsigned i = count; i > 1; --i) std::swap(worker.start_order[i - 1], worker.start_order[worker.random() % i]);
}

}  // namespace

Worker::Worker() : stacks(config().stack_size, &fiber_main) {
#if CAIRN_ADDRESS_SANITIZER
  // AddressSanitizer is told which stack a switch goes to: for the scheduler, the OS thread's own.
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* stack = nullptr;
  pthread_attr_getstack(&attributes, &stack, &scheduler.stack_size);
  scheduler.stack = static_cast<char*>(stack);
  pthread_attr_destroy(&attributes);
#endif
}

// xorshift64*
uint64_t Worker::random() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state * 0x2545F4914F6CDD1Dull >> 11;
}

void Worker::shuffle(Fiber** begin, Fiber** end) {
  for (auto i = static_cast<uint64_t>(end - begin); i > 1; --i) std::swap(begin[i - 1], begin[random() % i]);
}

Worker& worker_in_kernel(const char* what) {
  Worker* worker = current_worker;
  if (!worker || !worker->in_kernel()) throw Error(std::string(what) + " was called outside a kernel");
  return *worker;
}

Worker& this_threads_worker() {
  // Destructors of static objects run after this one, and where they are race-checked they ask for current_worker.
  struct Owner {
    std::unique_ptr<Worker> worker = std::make_unique<Worker>();
    Owner() { current_worker = worker.get(); }
    ~Owner() { current_worker = nullptr; }
  };
  thread_local Owner owner;
  return *owner.worker;
}

void run_block(Worker& worker, const Launch& launch) {
  const Config& settings = config();
  worker.launch = &launch;
  worker.thread_count = launch.block.x * launch.block.y * launch.block.z;
  worker.next = worker.finished = worker.released = 0;
  worker.next_thread = {0, 0, 0};
  worker.ready = worker.ready_end = nullptr;
  worker.waiting = worker.waiting_end = worker.queues[0];
  worker.votes = 0;
  ++worker.epoch;
  worker.at_cluster_sync = false;
  worker.cluster_epoch = worker.epoch;
  std::memset(worker.arrived, 0, (worker.thread_count + 31) / 32 * sizeof worker.arrived[0]);
  worker.copies.clear();
  worker.parked.clear();
  worker.transfers.clear();
  worker.forward = settings.order == Order::forward;
  if (!worker.forward) choose_start_order(worker, settings);
  // Undefined at the start of a block: NaN, so that a read before the first write shows.
  for (size_t block = 0; launch.shared_bytes && block < launch.blocks_at_once(); ++block)
    std::memset(static_cast<char*>(worker.dynamic_shared) + block * launch.shared_stride(), 0xff, launch.shared_bytes);
  resume(worker, &worker.scheduler, worker.stacks.take());
  if (worker.failure) worker.stacks.reset();
}

void split_row(Worker& worker, Fiber* fiber) {
  const unsigned done = worker.thread.x - fiber->thread.x;
  worker.finished += done;
  fiber->linear += done;
  fiber->thread.x = worker.thread.x;
  worker.by_index[fiber->linear] = fiber;
  if (worker.forward) {
    worker.next = fiber->linear + 1;
    worker.next_thread = fiber->thread;
    if (++worker.next_thread.x == worker.launch->block.x) advance_row(worker.next_thread, worker.launch->block);
  }
  worker.row_split = 1;
}

void release_barrier(Worker& worker) {
  const Config& settings = config();
  if (__builtin_expect(worker.finished != 0, 0) && !settings.allow_exited)
    fail(worker, "barrier divergence, some threads have exited and others wait: " + describe_threads(worker));
  if (settings.order == Order::shuffled) worker.shuffle(worker.waiting, worker.waiting_end);
  worker.ready = worker.waiting;
  worker.ready_end = worker.waiting_end;
  worker.waiting = worker.waiting_end = worker.waiting == worker.queues[0] ? worker.queues[1] : worker.queues[0];
  worker.vote_result = std::exchange(worker.votes, 0);
  ++worker.epoch;
  if (std::exchange(worker.at_cluster_sync, false)) worker.cluster_epoch = worker.epoch;
}

void report_deadlock(Worker& worker) {
  fail(worker, "deadlock, no thread of the block can go on: " + describe_threads(worker));
}

}  // namespace cairn::simt
