// The race detector: kernels compiled with -fsanitize=thread call __tsan_read4 and the like for every access, and this
// file implements those calls in place of the compiler's library. Not here: names for reports (race_names.cpp).
//
// Blocks run one after the other on one OS thread, so nothing here is concurrent and a race is found whether or not
// anything went wrong. What orders two accesses: being of one thread; a __syncthreads between them, for a block; a warp
// collective, for a warp; a cluster_sync, for a cluster. A cluster's blocks are laid out as one here (executor.h) and
// their barriers are barriers of them all, but only cluster_sync orders accesses of different blocks. Nothing orders
// two clusters, or two blocks of any other launch. Shared memory read before it was written is a fault too. Kept for
// every 4 bytes: the last write, an atomic and two reads of the block or cluster that runs, and a write and a read of
// earlier ones; bytes of one word that different threads write are told apart by a mask, of which the last is kept.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>

#include "kernels/runtime/simt/race.h"
#include "kernels/runtime/simt/race_names.h"
#include "kernels/runtime/simt/report.h"
#include "kernels/runtime/simt/scheduler.h"

namespace cairn::simt {
namespace {

struct Event {
  const void* code = nullptr;  // null: nothing happened yet
  uint64_t epoch = 0;          // barriers passed
  uint32_t block = 0;
  uint32_t warp_epoch = 0;  // collectives of the warp passed
  uint16_t thread = 0;
  uint8_t bytes = 0;  // of the word: a mask
  Access access = Access::read;
};

struct Word {
  uint64_t launch = 0;
  Event write, read, other_read;      // of the block that runs; the reads are of different threads
  Event other_atomic;                 // the last atomic of another thread than `write`
  Event earlier_write, earlier_read;  // of blocks before it
};

constexpr uintptr_t kWordBytes = 4;
constexpr uintptr_t kPageBytes = 4096;
using Page = Word[kPageBytes / kWordBytes];

Word& word_at(uintptr_t address) {
  static std::unordered_map<uintptr_t, std::unique_ptr<Page>> pages;
  static uintptr_t last_number = 0;
  static Page* last = nullptr;
  const uintptr_t number = address / kPageBytes;
  if (!last || number != last_number) {
    auto& page = pages[number];
    if (!page) page.reset(reinterpret_cast<Page*>(new Page));
    last = page.get();
    last_number = number;
  }
  return (*last)[address % kPageBytes / kWordBytes];
}

// The first fault of a block, and how many followed it.
struct Finding {
  uint64_t launch = 0;
  uint64_t count = 0;
  uintptr_t address = 0;
  size_t bytes = 0;
  Event now;
  Event before;  // code null: memory was not written before
} finding;

bool is_dynamic_shared(const Worker& worker, uintptr_t address) {
  const auto begin = reinterpret_cast<uintptr_t>(worker.dynamic_shared);
  const Launch& launch = *worker.launch;
  return launch.shared_bytes && address >= begin &&
         address < begin + (launch.blocks_at_once() - 1) * launch.shared_stride() + launch.shared_bytes;
}

bool of_one_block(const Event& a, const Event& b) {
  return a.block == b.block && current_worker->rank_of(a.thread) == current_worker->rank_of(b.thread);
}

uint32_t linear_block() {
  return blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
}

uint3 block_at(uint32_t linear) {
  return thread_at(gridDim, linear);
}

bool ordered(const Event& before, const Event& now) {
  if (before.block != now.block) return false;
  if (before.thread == now.thread) return true;
  if (!of_one_block(before, now)) return before.epoch < current_worker->cluster_epoch;
  if (before.epoch != now.epoch) return true;
  return before.thread / 32 == now.thread / 32 && before.warp_epoch != now.warp_epoch;
}

bool conflict(const Event& before, const Event& now) {
  return before.code && (before.bytes & now.bytes) && (before.access != Access::read || now.access != Access::read) &&
         !(before.access == Access::atomic && now.access == Access::atomic) && !ordered(before, now);
}

void found(uintptr_t address, size_t bytes, const Event& now, const Event& before) {
  const uint64_t launch = current_worker->launch_number;
  if (finding.launch != launch) finding = {launch, 0, address, bytes, now, before};
  ++finding.count;
}

// The word forgets an earlier launch, and in shared memory an earlier block.
void enter_block(Word& word, uint64_t launch, uint32_t block, bool shared) {
  const Event& any = word.write.code ? word.write : word.read;
  if (word.launch != launch || (shared && any.code && any.block != block)) {
    word = {};
    word.launch = launch;
  } else if (any.code && any.block != block) {
    if (word.write.code) word.earlier_write = word.write;
    if (word.read.code) word.earlier_read = word.read;
    word.write = word.other_atomic = word.read = word.other_read = {};
  }
}

void remember(Word& word, const Event& now) {
  if (now.access != Access::read) {
    const bool same_phase = word.write.code && word.write.thread == now.thread && word.write.epoch == now.epoch;
    const uint8_t bytes = same_phase ? word.write.bytes : 0;
    if (word.write.access == Access::atomic && word.write.thread != now.thread) word.other_atomic = word.write;
    word.write = now;
    word.write.bytes |= bytes;
    if (now.access == Access::write) word.other_atomic = word.read = word.other_read = {};
  } else if (!word.read.code || word.read.thread == now.thread ||
             (word.read.epoch != now.epoch && ordered(word.read, now))) {
    word.read = now;
  } else if (word.other_read.code && of_one_block(word.read, now) && !of_one_block(word.other_read, now)) {
    word.read = now;  // a read of each of two blocks tells more than two of one
  } else {
    word.other_read = now;
  }
}

// What stands for CUDA's built-in variables.
bool is_built_in(const KernelThread& variables, const void* byte) {
  return byte >= &variables && byte < &variables + 1;
}

std::string memory_text(const Worker& worker) {
  const uintptr_t address = finding.address;
  const size_t element = finding.bytes <= 8 ? finding.bytes : 4;  // wider accesses are vectors of floats
  if (is_dynamic_shared(worker, address)) {
    const size_t offset = address - reinterpret_cast<uintptr_t>(worker.dynamic_shared);
    const Launch& launch = *worker.launch;
    if (!launch.cluster) return "dynamic shared memory[" + std::to_string(offset / element) + "]";
    return "dynamic shared memory[" + std::to_string(offset % launch.shared_stride() / element) + "] of block " +
           std::to_string(offset / launch.shared_stride()) + " of the cluster";
  }
  if (const SharedVariable* variable = find_shared_variable(address))
    return "shared memory " + variable_name(*variable) + "[" + std::to_string((address - variable->begin) / element) +
           "]";
  // Global memory belongs to the nearest pointer argument at or before it.
  const Launch& launch = *worker.launch;
  size_t nearest = launch.pointer_count;
  for (size_t i = 0; i < launch.pointer_count; ++i) {
    const auto begin = reinterpret_cast<uintptr_t>(launch.pointers[i].address);
    if (!begin || begin > address) continue;
    if (nearest == launch.pointer_count || begin > reinterpret_cast<uintptr_t>(launch.pointers[nearest].address))
      nearest = i;
  }
  if (nearest == launch.pointer_count) return "global memory";
  const size_t offset = address - reinterpret_cast<uintptr_t>(launch.pointers[nearest].address);
  return "global memory, argument " + std::to_string(nearest + 1) + "[" +
         std::to_string(offset / launch.pointers[nearest].element_size) + "]";
}

const char* access_text(Access access) {
  return access == Access::read ? "read" : access == Access::write ? "write" : "atomic";
}

// True while the detector itself works. It calls library functions, and where a kernel's file uses the same ones the
// linker may have kept that file's instrumented copies, which come back here.
thread_local bool detecting = false;

struct Detecting {
  Detecting() { detecting = true; }
  ~Detecting() { detecting = false; }
};

}  // namespace

void note_access(const void* pointer, size_t bytes, Access access, const void* caller) {
  Worker* worker = current_worker;
  if (detecting || !worker || !worker->in_kernel()) return;
  const Detecting guard;
  if (worker->stacks.contains(pointer) || is_built_in(*worker, pointer)) return;
  const auto begin = reinterpret_cast<uintptr_t>(pointer);
  const unsigned thread = worker->linear_thread();
  Event now{caller, worker->epoch, linear_block(), worker->warp_epoch[thread / 32], static_cast<uint16_t>(thread),
            0,      access};
  const bool shared = is_dynamic_shared(*worker, begin) || find_shared_variable(begin);
  const uintptr_t end = begin + bytes;
  for (uintptr_t at = begin; at < end; at = at / kWordBytes * kWordBytes + kWordBytes) {
    now.bytes = 0;
    for (uintptr_t byte = at; byte < end && byte / kWordBytes == at / kWordBytes; ++byte)
      now.bytes |= static_cast<uint8_t>(1u << byte % kWordBytes);
    Word& word = word_at(at);
    enter_block(word, worker->launch_number, now.block, shared);
    if (shared && access != Access::write && !word.write.code) found(at, bytes, now, {});
    for (const Event* before :
         {&word.write, &word.other_atomic, &word.read, &word.other_read, &word.earlier_write, &word.earlier_read}) {
      if (!conflict(*before, now)) continue;
      found(at, bytes, now, *before);
      break;
    }
    remember(word, now);
  }
}

void throw_found_race(Worker& worker) {
  if (finding.launch != worker.launch_number) return;
  const Event& now = finding.now;
  const Event& before = finding.before;
  std::string text = prefix(worker, now.thread);
  if (before.code) {
    const bool other_cluster = before.block != now.block;
    text += "data race on " + memory_text(worker) + ": " + access_text(now.access) + " at " + source_line(now.code) +
            ", earlier " + access_text(before.access) + " by thread " + thread_text(worker, before.thread);
    if (!of_one_block(before, now)) {
      uint3 block = block_at(before.block);
      block.x += worker.rank_of(before.thread);
      text += " of block " + text_of(block);
    }
    text += " at " + source_line(before.code);
    text += other_cluster               ? ", blocks are not ordered"
            : of_one_block(before, now) ? ", no barrier between"
                                        : ", no cluster_sync between";
  } else {
    text += "read of uninitialised " + memory_text(worker) + " at " + source_line(now.code);
  }
  if (finding.count > 1) text += " (and " + std::to_string(finding.count - 1) + " more in this block)";
  finding = {};
  throw Error(text);
}

}  // namespace cairn::simt

// ---- what the compilers call -------------------------------------------------------------------------------------

using cairn::simt::Access;
using cairn::simt::note_access;

#define CAIRN_CALLER __builtin_return_address(0)
#define CAIRN_PLAIN(n)                               \
  void __tsan_read##n(void* p) {                     \
    note_access(p, n, Access::read, CAIRN_CALLER);   \
  }                                                  \
  void __tsan_write##n(void* p) {                    \
    note_access(p, n, Access::write, CAIRN_CALLER);  \
  }                                                  \
  void __tsan_unaligned_read##n(void* p) {           \
    note_access(p, n, Access::read, CAIRN_CALLER);   \
  }                                                  \
  void __tsan_unaligned_write##n(void* p) {          \
    note_access(p, n, Access::write, CAIRN_CALLER);  \
  }                                                  \
  void __tsan_volatile_read##n(void* p) {            \
    note_access(p, n, Access::read, CAIRN_CALLER);   \
  }                                                  \
  void __tsan_volatile_write##n(void* p) {           \
    note_access(p, n, Access::write, CAIRN_CALLER);  \
  }                                                  \
  void __tsan_unaligned_volatile_read##n(void* p) {  \
    note_access(p, n, Access::read, CAIRN_CALLER);   \
  }                                                  \
  void __tsan_unaligned_volatile_write##n(void* p) { \
    note_access(p, n, Access::write, CAIRN_CALLER);  \
  }

// Only atomics.h has atomic operations, and it reports them itself: g++ leaves them alone, clang turns them into these.
#define CAIRN_ATOMIC(bits, T)                                                               \
  T __tsan_atomic##bits##_load(const volatile T* p, int) {                                  \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                            \
  }                                                                                         \
  void __tsan_atomic##bits##_store(volatile T* p, T v, int) {                               \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                               \
  }                                                                                         \
  T __tsan_atomic##bits##_exchange(volatile T* p, T v, int) {                               \
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                                     \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_add(volatile T* p, T v, int) {                              \
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_sub(volatile T* p, T v, int) {                              \
    return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_and(volatile T* p, T v, int) {                              \
    return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_or(volatile T* p, T v, int) {                               \
    return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);                                       \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_xor(volatile T* p, T v, int) {                              \
    return __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* p, T c, T v, int, int) {         \
    __atomic_compare_exchange_n(p, &c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
    return c;                                                                               \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* p, T* c, T v, int, int) {   \
    return __atomic_compare_exchange_n(p, c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* p, T* c, T v, int, int) {     \
    return __atomic_compare_exchange_n(p, c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }

extern "C" {
CAIRN_PLAIN(1)
CAIRN_PLAIN(2)
CAIRN_PLAIN(4)
CAIRN_PLAIN(8)
CAIRN_PLAIN(16)
CAIRN_ATOMIC(8, unsigned char)
CAIRN_ATOMIC(32, unsigned)
CAIRN_ATOMIC(64, unsigned long)
void __tsan_read_range(void* p, unsigned long n) {
  note_access(p, n, Access::read, CAIRN_CALLER);
}
void __tsan_write_range(void* p, unsigned long n) {
  note_access(p, n, Access::write, CAIRN_CALLER);
}
void* __tsan_memcpy(void* to, const void* from, unsigned long n) {
  note_access(from, n, Access::read, CAIRN_CALLER);
  note_access(to, n, Access::write, CAIRN_CALLER);
  return std::memcpy(to, from, n);
}
void* __tsan_memmove(void* to, const void* from, unsigned long n) {
  note_access(from, n, Access::read, CAIRN_CALLER);
  note_access(to, n, Access::write, CAIRN_CALLER);
  return std::memmove(to, from, n);
}
void* __tsan_memset(void* to, int value, unsigned long n) {
  note_access(to, n, Access::write, CAIRN_CALLER);
  return std::memset(to, value, n);
}
void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_init() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
}
