// Shared arrays of kernels on the host: CAIRN_SHARED(T, name). Not here: dynamic shared memory (host_launch.h).
//
// An OS thread runs one block at a time, so it needs one copy of each array. The copies lie in one piece of memory
// behind KernelThread, each array at a place of its own. They are no thread_local variables: those of a library that is
// loaded at run time must fit into what the C library has put aside, some 1,500 bytes for all libraries together.
#pragma once

#include <cstddef>
#include <type_traits>

#include "kernels/runtime/simt/build_mode.h"
#include "kernels/runtime/simt/vocabulary.h"

namespace cairn::simt {

// Makes room for one more array, aligned to 64 bytes, in the piece that every OS thread has; returns its offset.
size_t reserve_shared(size_t bytes);
// The size of that piece. It grows when a library with kernels is loaded.
size_t reserved_shared_bytes();

// Place: a type that this declaration alone has.
template <class T, class Place>
inline const size_t shared_offset = reserve_shared(sizeof(T));

template <class T, class Place>
inline T& shared_array() {
  return *reinterpret_cast<T*>(kernel_thread().shared_arrays + shared_offset<T, Place>);
}

}  // namespace cairn::simt

#if CAIRN_SIMT_ONE_THREAD
// 32 at most: clang puts no red zones around a variable of a higher alignment.
#define CAIRN_SHARED(T, name) alignas(32) static std::type_identity_t<T> name
#else
#define CAIRN_SHARED(T, name) auto& name = cairn::simt::shared_array<std::type_identity_t<T>, struct name##_place>()
#endif
