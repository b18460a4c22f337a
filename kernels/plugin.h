// A plugin: a shared library, cairn-<name>.so, that exports one C function through which a program gets the
// implementation `name` at run time. Lives here: what the two tell each other. Not here: where the program looks for
// the file and how it loads it (registry.h).
//
// A plugin links nothing of Cairn's and shares no C++ object with the program: all that passes is pointers to functions
// and plain structs. So it may have been built by another compiler, with another standard library's ABI, but not from
// other headers of the seam, which seam_layout() is there to notice.
#pragma once

#include <cstdint>

#include "kernels/backend.h"

namespace cairn {

namespace detail {

// FNV-1a, one step for each byte.
constexpr uint64_t mixed(uint64_t hash, uint64_t value) {
  for (int byte = 0; byte < 8; ++byte) hash = (hash ^ (value >> 8 * byte & 0xFF)) * 0x100000001B3u;
  return hash;
}

}  // namespace detail

// A fingerprint of the seam: its version, the names of its primitives and the size of every struct. A change that keeps
// all of these (two fields swapped) needs a new kBackendVersion to be noticed.
constexpr uint64_t seam_layout() {
  using detail::mixed;
  uint64_t hash = mixed(mixed(0xCBF29CE484222325u, static_cast<uint64_t>(kBackendVersion)), sizeof(Backend));
  for (const char* name : kPrimitives)
    for (; *name; ++name) hash = mixed(hash, static_cast<unsigned char>(*name));
#define CAIRN_PRIMITIVE(family, name, Args) hash = mixed(hash, sizeof(Args));
  CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
  return hash;
}

// What the program gives. The pointers stay valid for the life of the process.
struct PluginHost {
  uint64_t layout;  // seam_layout(); with another one a plugin must touch nothing below
  // The program's implementation of that name at that place, or null. A plugin may take its device services and pass
  // its streams to its entries; they must then be its streams throughout.
  const Backend* (*find)(const char* name, Where where);
  // Makes text what last_error() of the program's implementations at that place says, on this thread.
  void (*set_error)(Where where, const char* text);
  // The cudaStream_t of a stream that the program's implementations at Where::cuda opened.
  void* (*cuda_stream)(Stream*);
};

// What the plugin gives: its implementations, one for each place, all of the plugin's name.
struct Plugin {
  uint64_t layout;  // its own seam_layout(), always the first field
  int32_t count;
  const Backend* const* backends;
};

inline constexpr const char* kPluginFunction = "cairn_backend_plugin";
extern "C" {
using PluginFunction = const Plugin*(const PluginHost*);
}

}  // namespace cairn
