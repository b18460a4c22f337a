// The scratch buffers. They live as long as their thread.
#include "kernels/simd/team.h"

#include <cstdlib>
#include <memory>
#include <new>

#include "kernels/runtime/cpu/memory.h"

namespace cairn::simd {
namespace {

struct Free {
  void operator()(float* pointer) const { std::free(pointer); }
};
struct Buffer {
  std::unique_ptr<float, Free> memory;
  int64_t capacity = 0;
};
thread_local Buffer buffers[static_cast<int>(Scratch::count)];

}  // namespace

float* scratch(Scratch use, int64_t floats) {
  Buffer& buffer = buffers[static_cast<int>(use)];
  if (floats > buffer.capacity) {
    const int64_t rounded = (floats + 1023) / 1024 * 1024;
    buffer.memory.reset();  // first, so that the peak is the larger of the two
    buffer.capacity = 0;
    buffer.memory.reset(static_cast<float*>(cpu::allocate_memory(static_cast<size_t>(rounded) * sizeof(float))));
    if (!buffer.memory) throw std::bad_alloc();
    buffer.capacity = rounded;
  }
  return buffer.memory.get();
}

}  // namespace cairn::simd
