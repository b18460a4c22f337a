#include "framework/allocator.h"

#include <algorithm>

#include "framework/device.h"
#include "framework/error.h"

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>  // its macros do nothing in a build without AddressSanitizer
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace cairn {
namespace {

// Small blocks in steps of 256 bytes, larger ones in steps of 1/8 of their size, those over 1 MiB of 1/64: few distinct
// sizes where there are many blocks, little waste where they are large.
size_t rounded(size_t bytes) {
  const size_t steps = bytes > (1 << 20) ? 64 : 8;
  size_t step = 256;
  while (step * steps < bytes) step *= 2;
  return (std::max<size_t>(bytes, 1) + step - 1) / step * step;
}

std::string megabytes(size_t bytes) {
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

}  // namespace

MemoryPool::~MemoryPool() {
  trim();
}

MemoryPool::Block MemoryPool::take(size_t bytes, const char* op) {
  const size_t capacity = rounded(bytes);
  MemoryCounters& counters = device_.memory_;
  Block block{nullptr, capacity};
  // An unused block of up to twice the size will do.
  if (const auto found = unused_.lower_bound(capacity); found != unused_.end() && found->first <= 2 * capacity) {
    block = {found->second, found->first};
    unused_.erase(found);
    counters.cached -= block.capacity;
  } else if (device_.table_.allocate(device_.stream_, capacity, &block.data) != 0) {
    // Never a captured step's own pool: its recording still names the blocks that lie unused in it.
    device_.eager_pool_->trim();
    if (device_.table_.allocate(device_.stream_, capacity, &block.data) != 0) {
      size_t free_bytes = 0, total_bytes = 0;
      device_.table_.memory_info(device_.stream_, &free_bytes, &total_bytes);
      throw DeviceError(std::string("out of memory on ") + device_.label() + ": " + op + " asked for " +
                        megabytes(bytes) + " with " + megabytes(counters.live) + " in use and " +
                        megabytes(free_bytes) + " of " + megabytes(total_bytes) + " free; try a smaller --batch-size");
    }
  }
  counters.live += block.capacity;
  counters.peak = std::max(counters.peak, counters.live);
  if (poisons()) {
    ASAN_POISON_MEMORY_REGION(block.data, block.capacity);
    ASAN_UNPOISON_MEMORY_REGION(block.data, bytes);
  }
  return block;
}

void MemoryPool::give_back(Block block) {
  device_.memory_.live -= block.capacity;
  device_.memory_.cached += block.capacity;
  if (poisons()) ASAN_POISON_MEMORY_REGION(block.data, block.capacity);
  unused_.emplace(block.capacity, block.data);
}

bool MemoryPool::poisons() const {
  return device_.where() == Where::cpu && device_.eager_pool_.get() == this;
}

void MemoryPool::trim() {
  for (const auto& [capacity, data] : unused_) {
    if (device_.where() == Where::cpu) ASAN_UNPOISON_MEMORY_REGION(data, capacity);
    device_.table_.release(device_.stream_, data);
    device_.memory_.cached -= capacity;
  }
  unused_.clear();
}

}  // namespace cairn
