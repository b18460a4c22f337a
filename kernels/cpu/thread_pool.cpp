#include "kernels/cpu/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

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

// A wait goes through three stages. Spinning bridges what lies between two kernels of a step. Yielding leaves the core
// to whoever needs it, above all the very thread that is waited for when there are more threads than cores, and still
// answers within a microsecond otherwise. Sleeping costs an idle process nothing.
constexpr int kSpins = 2000;  // some 20 microseconds
constexpr auto kYieldTime = std::chrono::milliseconds(2);

// Waits until value differs from `old`.
void wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  const auto changed = [&] { return value.load(std::memory_order_acquire) != old; };
  for (int i = 0; i < kSpins; ++i) {
    if (changed()) return;
    pause();
  }
  const auto deadline = std::chrono::steady_clock::now() + kYieldTime;
  while (std::chrono::steady_clock::now() < deadline) {
    if (changed()) return;
    std::this_thread::yield();
  }
  while (!changed()) value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
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
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::run_erased(Task task, const void* body) {
  if (workers_.empty()) return task(body, 0);
  task_ = task;
  body_ = body;
  pending_.store(static_cast<uint32_t>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();  // no system call while nobody sleeps
  try {
    task(body, 0);
  } catch (...) {
    if (!failed_.test_and_set()) failure_ = std::current_exception();
  }
  for (uint32_t left; (left = pending_.load(std::memory_order_acquire)) != 0;) wait_for_change(pending_, left);
  if (failed_.test()) {
    std::exception_ptr failure = std::exchange(failure_, nullptr);
    failed_.clear();
    std::rethrow_exception(failure);
  }
}

void ThreadPool::work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    wait_for_change(generation_, seen);
    ++seen;  // the caller starts the next run only after this one is done, so generations are never skipped
    if (stopping_.load()) return;
    try {
      task_(body_, thread);
    } catch (...) {
      if (!failed_.test_and_set()) failure_ = std::current_exception();
    }
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

}  // namespace cairn::cpu
