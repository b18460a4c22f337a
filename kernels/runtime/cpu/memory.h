// Memory of the CPU implementations. Not here: who caches it (framework/allocator.h, kernels/simd/team.h).
#pragma once

#include <cstddef>

namespace cairn::cpu {

// At least `bytes`, aligned to 256, or null; std::free gives it back. From 4 MiB on in huge pages where the system
// grants them: a matrix whose rows are a page apart would otherwise want more entries of the address cache than it has.
void* allocate_memory(size_t bytes);

}  // namespace cairn::cpu
