// Asynchronous copies of the host form: what a thread has started and not yet waited for. Not here: the calls that
// kernels make (cuda_source.h).
#pragma once

#include <cstring>
#include <vector>

namespace cairn::simt {

// A copy happens only when its thread waits for it, and until then its destination is NaN: a forgotten wait shows.
class PendingCopies {
 public:
  // The first `valid` of `bytes` bytes are copied, zeros come after them.
  void start(unsigned thread, void* destination, const void* source, size_t bytes, size_t valid) {
    if (threads_.size() <= thread) threads_.resize(thread + 1);
    used_ = true;
    std::memset(destination, 0xff, bytes);
    threads_[thread].copies.push_back({destination, source, bytes, valid, threads_[thread].group});
  }
  void commit(unsigned thread) {
    if (thread < threads_.size()) ++threads_[thread].group;
  }
  // Finishes all of the thread's committed groups but the newest `pending`.
  void wait(unsigned thread, unsigned pending) {
    if (thread >= threads_.size()) return;
    Thread& waiter = threads_[thread];
    std::erase_if(waiter.copies, [&](const Copy& copy) {
      if (copy.group + pending >= waiter.group) return false;
      std::memset(copy.destination, 0, copy.bytes);
      std::memcpy(copy.destination, copy.source, copy.valid);
      return true;
    });
  }
  // At the start of a block.
  void clear() {
    if (!used_) return;
    for (Thread& thread : threads_) {
      thread.copies.clear();
      thread.group = 0;
    }
    used_ = false;
  }

 private:
  struct Copy {
    void* destination;
    const void* source;
    size_t bytes, valid;
    unsigned group;
  };
  struct Thread {
    std::vector<Copy> copies;
    unsigned group = 0;
  };
  std::vector<Thread> threads_;
  bool used_ = false;
};

}  // namespace cairn::simt
