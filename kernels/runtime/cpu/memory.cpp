// The system's allocation, with its advice on huge pages. Not here: any cache of blocks.
#include "kernels/runtime/cpu/memory.h"

#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace cairn::cpu {

void* allocate_memory(size_t bytes) {
  constexpr size_t kAlignment = 256, kHugePage = size_t{2} << 20;
  const bool large = bytes >= 2 * kHugePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, large ? kHugePage : kAlignment, bytes) != 0) return nullptr;
#if defined(__linux__)
  if (large) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // advice: nothing depends on its success
#endif
  return memory;
}

}  // namespace cairn::cpu
