// Bytes: the vector that holds files and data sets. Unlike std::vector<uint8_t> it does not zero what it is about to be
// filled with, and it asks the kernel for huge pages: with 4 KiB pages a third of MNIST's loading time is page faults.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace cairn::datasets {

template <typename Value>
struct PageAllocator {
  using value_type = Value;

  PageAllocator() = default;
  template <typename Other>
  PageAllocator(const PageAllocator<Other>&) {}

  Value* allocate(size_t count) {
    constexpr size_t kHugePage = size_t{2} << 20;
    if (count > SIZE_MAX / 2 / sizeof(Value)) throw std::bad_array_new_length();
    const size_t bytes = count * sizeof(Value);
    const bool large = bytes >= 2 * kHugePage;
    const size_t rounded = large ? (bytes + kHugePage - 1) / kHugePage * kHugePage : bytes;
    void* memory = large ? std::aligned_alloc(kHugePage, rounded) : std::malloc(rounded);
    if (memory == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
    if (large) madvise(memory, rounded, MADV_HUGEPAGE);  // a hint: a refusal costs time only
#endif
    return static_cast<Value*>(memory);
  }
  void deallocate(Value* memory, size_t) {
    std::free(memory);
  }

  template <typename Element, typename... Arguments>
  void construct(Element* element, Arguments&&... arguments) {
    if constexpr (sizeof...(Arguments) == 0) {
      ::new (static_cast<void*>(element)) Element;  // resize() leaves new bytes as they are
    } else {
      ::new (static_cast<void*>(element)) Element(std::forward<Arguments>(arguments)...);
    }
  }
  bool operator==(const PageAllocator&) const {
    return true;
  }
};

using Bytes = std::vector<uint8_t, PageAllocator<uint8_t>>;

// The first four bytes as a number, as IDX and PNG store them.
inline uint32_t big_endian(std::span<const uint8_t> bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

}  // namespace cairn::datasets

// In bytes.cpp alone: with an allocator of its own a vector makes and destroys byte by byte, loops of nothing that
// vanish where the compiler optimises. Compiled as tests are, they took most of the tests' time.
extern template class std::vector<uint8_t, cairn::datasets::PageAllocator<uint8_t>>;
