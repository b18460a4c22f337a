// CUDA's atomics for kernels on the host: real ones, because blocks run on different OS threads; relaxed, as on the
// GPU. Not here: barriers and fences between the threads of a block (collectives.h).
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/runtime/simt/race.h"
#include "kernels/runtime/simt/vocabulary.h"

// The race detector is told of atomics here; the compiler's own instrumentation must not see them as plain accesses.
#if CAIRN_SIMT_RACE
#define CAIRN_ATOMIC inline __attribute__((noinline, no_sanitize("thread")))
#define CAIRN_NOTE_ATOMIC(p) \
  cairn::simt::note_access(p, sizeof *(p), cairn::simt::Access::atomic, __builtin_return_address(0))
#else
#define CAIRN_ATOMIC inline
#define CAIRN_NOTE_ATOMIC(p) static_cast<void>(0)
#endif

namespace cairn::simt {

template <class T>
concept AtomicInteger = std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;

template <class T>
using AtomicBits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

// Replaces *p by change(*p) and returns the old value.
template <class T, class Change>
__attribute__((always_inline)) inline T atomic_update(T* p, Change change) {
  using Bits __attribute__((may_alias)) = AtomicBits<T>;
  auto* place = reinterpret_cast<Bits*>(p);
  AtomicBits<T> old_bits = __atomic_load_n(place, __ATOMIC_RELAXED);
  for (;;) {
    T old;
    std::memcpy(&old, &old_bits, sizeof old);
    const T changed = change(old);
    AtomicBits<T> new_bits;
    std::memcpy(&new_bits, &changed, sizeof new_bits);
    if (__atomic_compare_exchange_n(place, &old_bits, new_bits, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return old;
  }
}

}  // namespace cairn::simt

template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicAdd(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return __atomic_fetch_add(p, value, __ATOMIC_RELAXED);
}
CAIRN_ATOMIC float atomicAdd(float* p, float value) {
  CAIRN_NOTE_ATOMIC(p);
  return cairn::simt::atomic_update(p, [=](float old) { return old + value; });
}
CAIRN_ATOMIC double atomicAdd(double* p, double value) {
  CAIRN_NOTE_ATOMIC(p);
  return cairn::simt::atomic_update(p, [=](double old) { return old + value; });
}
template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicSub(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return __atomic_fetch_sub(p, value, __ATOMIC_RELAXED);
}
template <class T>
requires(cairn::simt::AtomicInteger<T> || std::is_same_v<T, float>) CAIRN_ATOMIC T
    atomicExch(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return cairn::simt::atomic_update(p, [=](T) { return value; });
}
template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicCAS(T* p, std::type_identity_t<T> expected,
                                                                std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  __atomic_compare_exchange_n(p, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicMax(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return cairn::simt::atomic_update(p, [=](T old) { return old < value ? value : old; });
}
template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicMin(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return cairn::simt::atomic_update(p, [=](T old) { return value < old ? value : old; });
}
template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicAnd(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return __atomic_fetch_and(p, value, __ATOMIC_RELAXED);
}
template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicOr(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return __atomic_fetch_or(p, value, __ATOMIC_RELAXED);
}
template <class T>
requires cairn::simt::AtomicInteger<T> CAIRN_ATOMIC T atomicXor(T* p, std::type_identity_t<T> value) {
  CAIRN_NOTE_ATOMIC(p);
  return __atomic_fetch_xor(p, value, __ATOMIC_RELAXED);
}

inline void __threadfence() {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
inline void __threadfence_block() {}  // the threads of a block share an OS thread

#undef CAIRN_ATOMIC
#undef CAIRN_NOTE_ATOMIC
