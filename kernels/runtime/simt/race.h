// What the rest of the executor tells the race detector, and asks of it. Not here: the detector (race_runtime.cpp),
// which is part of cairn_simt_race only.
#pragma once

#include <cstddef>

namespace cairn::simt {

struct Worker;

// Throws an Error for the first fault found in the block that has just ended, if any.
void throw_found_race(Worker& worker);

enum class Access { read, write, atomic };

// An access by the running thread that the compiler's instrumentation does not see. `caller`: address in the kernel.
void note_access(const void* address, size_t bytes, Access access, const void* caller);

}  // namespace cairn::simt
