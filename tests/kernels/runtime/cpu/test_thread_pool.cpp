// The team of threads: every part once, failures, and what happens when its threads get no core.
#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cpu_share.h"
#include "kernels/runtime/cpu/thread_pool.h"

namespace cairn::cpu {
namespace {

using namespace std::chrono_literals;

void wait_until(const std::atomic<bool>& value) {
  while (!value.load()) std::this_thread::sleep_for(1ms);
}

// The pool's second thread.
pthread_t worker_of(ThreadPool& pool) {
  const std::thread::id caller = std::this_thread::get_id();
  pthread_t worker{};
  std::atomic<bool> found{false};
  while (!found.load()) {
    pool.run([&](int) {
      if (std::this_thread::get_id() != caller) {
        worker = pthread_self();
        found = true;
      } else {
        std::this_thread::sleep_for(1ms);  // so that the worker comes in time
      }
    });
  }
  return worker;
}

std::atomic<bool> held{false}, released{false};
void hold(int) {
  held = true;
  while (!released.load()) usleep(1000);
}

}  // namespace

TEST_CASE("every part of every run is done once, with more threads than CPUs too") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    REQUIRE(pool.size() == threads);
    std::vector<int> times(static_cast<size_t>(threads));  // unguarded: a part done twice is a race, or a wrong count
    constexpr int kRuns = 3000;
    for (int run = 0; run < kRuns; ++run) pool.run([&](int i) { ++times[static_cast<size_t>(i)]; });
    for (const int count : times) CHECK(count == kRuns);
  }
  CHECK(ThreadPool(0).size() == cpu_share().cpus());
}

TEST_CASE("parallel_for and share_out cover their range once, in whole grains") {
  ThreadPool pool(3);
  for (const int64_t count : {0, 1, 7, 64, 1000})
    for (const int64_t grain : {1, 4, 100}) {
      std::vector<std::atomic<int>> parallel(static_cast<size_t>(count)), shared(static_cast<size_t>(count));
      std::atomic<bool> whole{true};
      const auto visit = [&](std::vector<std::atomic<int>>& seen) {
        return [&](int64_t begin, int64_t end) {
          if (begin % grain != 0 || (end % grain != 0 && end != count)) whole = false;
          for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
        };
      };
      pool.parallel_for(count, grain, visit(parallel));
      pool.share_out(count, grain, visit(shared));
      CHECK(whole.load());
      for (const auto& each : parallel) CHECK(each.load() == 1);
      for (const auto& each : shared) CHECK(each.load() == 1);
    }
}

TEST_CASE("a failure reaches the caller after all parts are done, and the team goes on") {
  ThreadPool pool(3);
  for (int failing = 0; failing < 3; ++failing) {
    std::atomic<int> done{0};
    const auto body = [&](int i) {
      ++done;
      if (i == failing) throw std::runtime_error("part " + std::to_string(i));
    };
    CHECK_THROWS_WITH_AS(pool.run(body), ("part " + std::to_string(failing)).c_str(), std::runtime_error);
    CHECK(done.load() == 3);
  }
  std::atomic<int> done{0};
  pool.run([&](int) { ++done; });
  CHECK(done.load() == 3);
}

TEST_CASE("a thread that gets no core holds nobody up") {
  ThreadPool pool(2);
  const pthread_t worker = worker_of(pool);
  struct sigaction action {
  }, before{};
  action.sa_handler = hold;
  sigaction(SIGUSR1, &action, &before);
  pthread_kill(worker, SIGUSR1);
  wait_until(held);

  std::atomic<bool> finished{false};
  std::thread watch([&] {
    for (int i = 0; i < 10000 && !finished; ++i) std::this_thread::sleep_for(1ms);
    if (finished) return;
    std::fputs("the caller waits for a thread that gets no core\n", stderr);
    _exit(1);
  });
  int parts = 0;
  for (int run = 0; run < 100; ++run) pool.run([&](int) { ++parts; });
  finished = true;
  watch.join();
  CHECK(parts == 200);

  released = true;
  worker_of(pool);  // it is back, and works again
  sigaction(SIGUSR1, &before, nullptr);
  std::atomic<int> done{0};
  for (int run = 0; run < 1000; ++run) pool.run([&](int) { ++done; });
  CHECK(done.load() == 2000);
}

TEST_CASE("a team that has nothing to do takes no time") {
  ThreadPool pool(2);
  clockid_t clock{};
  REQUIRE(pthread_getcpuclockid(worker_of(pool), &clock) == 0);
  const auto used = [&] {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  std::this_thread::sleep_for(50ms);
  const double before = used();
  std::this_thread::sleep_for(100ms);
  CHECK(used() - before < 0.001);
}

}  // namespace cairn::cpu
