#include "kernels/runtime/simt/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "kernels/runtime/simt/executor.h"

#if CAIRN_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

// cairn_simt_switch(from, to): both begin with the saved stack pointer; returns the resumed fiber.
// It is the tail call of barrier() and leaves with a jump, not a return, so it lands in the kernel itself. The jump's
// predictor gets that right for all threads of a phase, while the return predictor holds the addresses of the previous
// thread and mispredicts every switch: 5 instead of 15 ns a thread and barrier.
#if CAIRN_SIMT_ASM_SWITCH && defined(__x86_64__)
asm(R"(
.text
.globl cairn_simt_switch
.hidden cairn_simt_switch
.type cairn_simt_switch,@function
.p2align 4
cairn_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
  movq %rsi, %rax
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
.size cairn_simt_switch,.-cairn_simt_switch
)");
#elif CAIRN_SIMT_ASM_SWITCH
// The same for 64-bit Arm. Whoever called does not expect its link register back: it is 0 afterwards, where the first
// function of a fiber ends a backtrace.
asm(R"(
.text
.globl cairn_simt_switch
.hidden cairn_simt_switch
.type cairn_simt_switch,%function
.p2align 4
cairn_simt_switch:
  stp x29, x30, [sp, #-160]!
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  ldr x9, [x1]
  mov sp, x9
  mov x0, x1
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldp x29, x9, [sp], #160
  mov x30, xzr
  br x9
.size cairn_simt_switch,.-cairn_simt_switch
)");
#endif

namespace cairn::simt {
namespace {

// 4 KiB on x86-64, up to 64 KiB on Arm.
size_t page_size() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}
// A guard page splits a mapping in two, and Linux allows a process some 65,000 mappings: with very many OS threads the
// last stacks go without.
constexpr int kMaxGuards = 8192;
std::atomic<int> guards{0};

}  // namespace

Stacks::Stacks(size_t stack_size, void (*entry)())
    : stride_((stack_size + page_size() - 1) / page_size() * page_size() + page_size()), entry_(entry) {
  void* memory = mmap(nullptr, stride_ * kMaxClusterThreads, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<char*>(memory);
  fibers_.reserve(kMaxClusterThreads);
  idle_.reserve(kMaxClusterThreads);
}

Stacks::~Stacks() {
  munmap(memory_, stride_ * kMaxClusterThreads);
}

bool Stacks::contains(const void* address) const {
  const auto* byte = static_cast<const char*>(address);
  return byte >= memory_ && byte < memory_ + stride_ * kMaxClusterThreads;
}

void Stacks::grow() {
  const size_t index = fibers_.size();
  if (index == kMaxClusterThreads) throw Error("simt executor: more fibers than threads in a cluster");
  auto fiber = std::make_unique<Fiber>();
  char* slot = memory_ + index * stride_;
  if (guards.fetch_add(1) < kMaxGuards) mprotect(slot, page_size(), PROT_NONE);
  fiber->stack = slot + page_size();
  fiber->stack_size = stride_ - page_size();
  fibers_.push_back(std::move(fiber));
  prepare(index);
  idle_.push_back(fibers_.back().get());
}

void Stacks::prepare(size_t index) {
  Fiber& fiber = *fibers_[index];
  fiber.fake_stack = nullptr;
  // Without an offset every stack top falls into the same cache set, because the stride is a multiple of the page.
  char* top = fiber.stack + fiber.stack_size - index * 9 * 64 % 4096;
#if CAIRN_SIMT_ASM_SWITCH && defined(__aarch64__)
  auto** stack = reinterpret_cast<void**>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t{63}) - 20;
  for (int saved_register = 0; saved_register < 20; ++saved_register) stack[saved_register] = nullptr;
  stack[1] = reinterpret_cast<void*>(entry_);
  fiber.stack_pointer = stack;
#elif CAIRN_SIMT_ASM_SWITCH
  auto** stack = reinterpret_cast<void**>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t{63});
  *--stack = nullptr;  // the entry's return address: ends backtraces, and leaves rsp at 8 mod 16 as after a call
  *--stack = reinterpret_cast<void*>(entry_);
  for (int saved_register = 0; saved_register < 6; ++saved_register) *--stack = nullptr;
  fiber.stack_pointer = stack;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = static_cast<size_t>(top - fiber.stack);
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, entry_, 0);
#endif
}

void Stacks::reset() {
  idle_.clear();
  for (size_t i = 0; i < fibers_.size(); ++i) {
#if CAIRN_ADDRESS_SANITIZER
    ASAN_UNPOISON_MEMORY_REGION(fibers_[i]->stack, fibers_[i]->stack_size);
#endif
    prepare(i);
    idle_.push_back(fibers_[i].get());
  }
}

}  // namespace cairn::simt
