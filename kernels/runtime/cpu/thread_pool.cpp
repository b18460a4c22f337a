#include "kernels/runtime/cpu/thread_pool.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

#include "kernels/cpu_share.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace cairn::cpu {
namespace {

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

using Clock = std::chrono::steady_clock;

// A wait goes through three stages. Spinning bridges what lies between two kernels of a step. Yielding finds out
// whether somebody else wants the core: a yield that comes back late let somebody work. Then, or when nothing comes for
// long, the thread sleeps; it is woken on a core that is free, if there is one. So a thread that waits takes no core
// from others for longer than it spins, and an idle process costs nothing.
constexpr auto kSpinTime = std::chrono::microseconds(10);
constexpr auto kLate = std::chrono::microseconds(30);
constexpr auto kYieldTime = std::chrono::milliseconds(2);
// A worker that came too late is not woken again before this: waking it costs the caller microseconds, and it would
// take the caller's own core if it finds no other.
constexpr auto kWakeInterval = std::chrono::microseconds(200);

// Waits until value differs from `old`.
void wait_for_change(const std::atomic<uint32_t>& value, uint32_t old, Clock::duration spin_time = kSpinTime) {
  const auto changed = [&] { return value.load(std::memory_order_acquire) != old; };
  const Clock::time_point begin = Clock::now();
  Clock::time_point last = begin;
  for (; last - begin < spin_time; last = Clock::now()) {
    for (int i = 0; i < 16; ++i) {
      if (changed()) return;
      pause();
    }
  }
  while (last - begin < kYieldTime) {
    if (changed()) return;
    std::this_thread::yield();
    const Clock::time_point now = Clock::now();
    if (now - last > kLate) break;
    last = now;
  }
  while (!changed()) value.wait(old, std::memory_order_acquire);
}

// The state of a part counts on with the runs: what it is while the part is worked on, and afterwards.
constexpr uint32_t begun(uint32_t run) {
  return 2 * run - 1;
}
constexpr uint32_t done(uint32_t run) {
  return 2 * run;
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = cpu_share().cpus();
  parts_ = std::make_unique<Part[]>(static_cast<size_t>(threads));
  workers_.reserve(static_cast<size_t>(threads - 1));
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error& error) {
    stop();
    throw std::runtime_error("cannot start " + std::to_string(threads) + " threads: " + error.what());
  }
}

ThreadPool::~ThreadPool() {
  stop();
}

void ThreadPool::stop() {
  stopping_.store(true);
  run_.fetch_add(1, std::memory_order_release);
  run_.notify_all();
  for (auto& worker : workers_) worker.join();
}

// Who does a part in this run: the first to ask. Its state tells a worker that slept through whole runs from one in
// time, since a run does not end before each of its parts is done.
bool ThreadPool::begin(int part, uint32_t run) {
  uint32_t before = done(run - 1);
  return parts_[part].state.compare_exchange_strong(before, begun(run), std::memory_order_acquire);
}

void ThreadPool::perform(int part) {
  try {
    task_(body_, part);
  } catch (...) {
    if (!failed_.test_and_set()) failure_ = std::current_exception();
  }
}

void ThreadPool::wake_workers() {
  if (missed_) {
    const Clock::time_point now = Clock::now();
    if (now - last_wake_ < kWakeInterval) return;
    last_wake_ = now;
  }
  run_.notify_all();  // no system call while nobody sleeps
}

void ThreadPool::run_erased(Task task, const void* body) {
  if (workers_.empty()) return task(body, 0);
  task_ = task;
  body_ = body;
  const uint32_t run = run_.load(std::memory_order_relaxed) + 1;
  run_.store(run, std::memory_order_release);
  wake_workers();
  perform(0);
  missed_ = false;
  for (int part = 1; part < size(); ++part) {
    if (!begin(part, run)) continue;
    missed_ = true;
    perform(part);
    parts_[part].state.store(done(run), std::memory_order_release);
  }
  for (int part = 1; part < size(); ++part) {
    const std::atomic<uint32_t>& state = parts_[part].state;
    if (state.load(std::memory_order_acquire) != done(run)) wait_for_change(state, begun(run));
  }
  if (failed_.test()) {
    std::exception_ptr failure = std::exchange(failure_, nullptr);
    failed_.clear();
    std::rethrow_exception(failure);
  }
}

void ThreadPool::work(int thread) {
  Clock::duration spin_time = kSpinTime;
  for (uint32_t run = 0;;) {
    wait_for_change(run_, run, spin_time);
    run = run_.load(std::memory_order_acquire);
    if (stopping_.load()) return;
    const bool in_time = begin(thread, run);
    spin_time = in_time ? kSpinTime : Clock::duration::zero();  // late once: others want this core
    if (!in_time) continue;
    perform(thread);
    parts_[thread].state.store(done(run), std::memory_order_release);
    parts_[thread].state.notify_one();
  }
}

}  // namespace cairn::cpu
