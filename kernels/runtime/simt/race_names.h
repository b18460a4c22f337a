// Names for the race detector's reports: of variables by address, of source lines by code address. Not here: what a
// race is (race_runtime.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cairn::simt {

// A variable of static storage that belongs to a function: a CAIRN_SHARED array of a kernel, in the race-checked form.
struct SharedVariable {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  const char* symbol = nullptr;  // mangled
};

// The shared variable at an address, or null.
const SharedVariable* find_shared_variable(uintptr_t address);

std::string variable_name(const SharedVariable& variable);

// "gemm.cu:41": the line of the call that returns to `code`. Of inlined code it is the innermost line outside
// kernels/runtime/simt. Needs -g, and addr2line on the PATH; without them it is the code's address.
std::string source_line(const void* code);

}  // namespace cairn::simt
