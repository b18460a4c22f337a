// A fixed team of threads for the CPU implementations. Lives here: starting, waking and joining the team. Not here:
// how work is cut up (each kernel does that, and its result must not depend on the number of threads).
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace cairn::cpu {

// Workers spin for a while between runs, because a training step is a row of kernels microseconds apart, and then
// sleep on a futex, so that an idle process costs nothing. Where other processes want the cores too, a team makes do
// with what it gets: a part that its worker has not begun by the time the caller is through is done by the caller.
class ThreadPool {
 public:
  // threads: size of the team with the caller counted, 0 = as many as the process may use (cpu_share.h). Throws if they
  // cannot be started.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(i) for i in [0, size()), i = 0 on the caller, the others on a thread each or, where that is late, on the
  // caller too; returns when all are done. So one body must not wait for another, and no result may depend on the
  // thread. The first exception that a body throws is rethrown here. Not reentrant: body must not call run.
  template <class Body>
  void run(const Body& body) {
    run_erased([](const void* b, int i) { (*static_cast<const Body*>(b))(i); }, &body);
  }

  // Calls body(begin, end) on contiguous parts of [0, count), at most one part a thread, each part but the last a
  // multiple of `grain`; small counts stay on the caller.
  template <class Body>
  void parallel_for(int64_t count, int64_t grain, const Body& body) {
    const int64_t grains = (count + grain - 1) / grain;
    const int64_t parts = grains < size() ? grains : size();
    if (parts <= 1) {
      if (count > 0) body(int64_t{0}, count);
      return;
    }
    run([&](int i) {
      if (i >= parts) return;
      const int64_t begin = grains * i / parts * grain;
      const int64_t end = i + 1 == parts ? count : grains * (i + 1) / parts * grain;
      if (begin < end) body(begin, end);
    });
  }

  // The same for long work, in more parts than threads, each taken by the thread that is free next: a core that others
  // use too then holds nobody up. body runs several times on a thread.
  template <class Body>
  void share_out(int64_t count, int64_t grain, const Body& body) {
    const int64_t grains = (count + grain - 1) / grain, parts = std::min<int64_t>(grains, 8 * size());
    if (parts < 8 || size() == 1) return parallel_for(count, grain, body);
    std::atomic<int64_t> next{0};
    run([&](int) {
      for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < parts;)
        body(grains * i / parts * grain, i + 1 == parts ? count : grains * (i + 1) / parts * grain);
    });
  }

 private:
  using Task = void (*)(const void* body, int thread);
  // On a cache line of its own. What its state means: thread_pool.cpp.
  struct alignas(64) Part {
    std::atomic<uint32_t> state{0};
  };
  void run_erased(Task task, const void* body);
  void wake_workers();
  bool begin(int part, uint32_t run);
  void perform(int part);
  void work(int thread);
  void stop();

  std::vector<std::thread> workers_;
  std::unique_ptr<Part[]> parts_;  // one a thread; the caller's is not used
  Task task_ = nullptr;
  const void* body_ = nullptr;
  std::exception_ptr failure_;
  std::atomic_flag failed_;
  bool missed_ = false;  // in the last run a worker came too late
  std::chrono::steady_clock::time_point last_wake_;
  alignas(64) std::atomic<uint32_t> run_{0};  // how many there have been
  alignas(64) std::atomic<bool> stopping_{false};
};

}  // namespace cairn::cpu
