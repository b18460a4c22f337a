#include "kernels/simt/fiber.h"

#include <sys/mman.h>

#include <atomic>
#include <new>

#include "kernels/simt/executor.h"

#if CAIRN_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

// cairn_simt_switch(from, to): both begin with the saved stack pointer; returns the resumed fiber.
// It is the tail call of barrier() and leaves with a jump, not a return, so it lands in the kernel itself. The jump's
// predictor gets that right for all threads of a phase, while the return predictor holds the addresses of the previous
// thread and mispredicts every switch: 5 instead of 15 ns a thread and barrier.
#if CAIRN_SIMT_ASM_SWITCH
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
#endif

namespace cairn::simt {
namespace {

constexpr size_t kPage = 4096;
// A guard page splits a mapping in two, and Linux allows a process some 65,000 mappings: with very many OS threads the
// last stacks go without.
constexpr int kMaxGuards = 8192;
std::atomic<int> guards{0};

}  // namespace

Stacks::Stacks(size_t stack_size, void (*entry)())
    : stride_((stack_size + kPage - 1) / kPage * kPage + kPage), entry_(entry) {
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
  if (guards.fetch_add(1) < kMaxGuards) mprotect(slot, kPage, PROT_NONE);
  fiber->stack = slot + kPage;
  fiber->stack_size = stride_ - kPage;
  fibers_.push_back(std::move(fiber));
  prepare(index);
  idle_.push_back(fibers_.back().get());
}

void Stacks::prepare(size_t index) {
  Fiber& fiber = *fibers_[index];
  fiber.fake_stack = nullptr;
  // Without an offset every stack top falls into the same cache set, because the stride is a multiple of the page.
  char* top = fiber.stack + fiber.stack_size - index * 9 * 64 % kPage;
#if CAIRN_SIMT_ASM_SWITCH
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
