// A suspended CUDA thread: its stack, the switch between two of them, and the stacks' memory. Not here: who runs next
// (scheduler.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/runtime/simt/vocabulary.h"

#if CAIRN_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(CAIRN_SIMT_PORTABLE_SWITCH)
#define CAIRN_SIMT_ASM_SWITCH 1
#else
#define CAIRN_SIMT_ASM_SWITCH 0
#include <ucontext.h>
#endif

namespace cairn::simt {

enum class Collective : uint8_t {
  shuffle,
  shuffle_up,
  shuffle_down,
  shuffle_xor,
  ballot,
  sync,
  reduce_add,
  reduce_min,
  reduce_max,
  reduce_min_signed,
  reduce_max_signed,
  reduce_and,
  reduce_or,
  reduce_xor
};

// The first cache line is all that a barrier or a switch touches.
struct alignas(64) Fiber {
  void* stack_pointer = nullptr;  // first: the assembly switch stores here
  uint64_t value = 0;             // into a collective, and its result
  uint3 thread{};                 // the CUDA thread it runs: threadIdx
  unsigned linear = 0;            // and its index in the block
  const char* file = nullptr;     // where it waits
  int line = 0;
  uint32_t mask = 0;  // of the collective it waits at
  int32_t argument = 0;
  uint8_t width = 32;
  Collective what{};

  char* stack = nullptr;
  size_t stack_size = 0;
  void* fake_stack = nullptr;  // AddressSanitizer's
#if !CAIRN_SIMT_ASM_SWITCH
  ucontext_t context;
#endif
};

#if CAIRN_SIMT_ASM_SWITCH
extern "C" Fiber* cairn_simt_switch(Fiber* from, Fiber* to);
#endif

// Up to one stack for each thread of the largest cluster, handed out as they are needed. Owned by one OS thread.
class Stacks {
 public:
  Stacks(size_t stack_size, void (*entry)());
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  Fiber* take() {
    if (__builtin_expect(idle_.empty(), 0)) grow();
    Fiber* fiber = idle_.back();
    idle_.pop_back();
    return fiber;
  }
  void give_back(Fiber* fiber) { idle_.push_back(fiber); }
  // Throws away whatever any fiber was doing: all are idle and start anew.
  void reset();
  bool contains(const void* address) const;

 private:
  void grow();
  void prepare(size_t index);

  size_t stride_;
  void (*entry_)();
  char* memory_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
};

// Suspends `from` (the caller) and resumes `to`; returns `from` once somebody resumes it. Where speed matters it must
// be the tail call of its caller: see fiber.cpp.
__attribute__((always_inline)) inline Fiber* switch_fiber(Fiber* from, Fiber* to) {
#if CAIRN_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_size);
#endif
#if !CAIRN_SIMT_ASM_SWITCH
  swapcontext(&from->context, &to->context);
#elif CAIRN_ADDRESS_SANITIZER
  cairn_simt_switch(from, to);
#else
  return cairn_simt_switch(from, to);
#endif
#if CAIRN_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(from->fake_stack, nullptr, nullptr);
#endif
  return from;
}

}  // namespace cairn::simt
