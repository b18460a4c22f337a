// Barriers and warp collectives for kernels on the host. Not here: their implementation (collectives.cpp).
//
// Each takes its caller's file and line as default arguments: they tell one barrier from another, and errors name them.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/runtime/simt/fiber.h"

namespace cairn::simt {

void barrier(const char* file, int line);
void cluster_barrier(const char* file, int line);
int barrier_count(bool vote, const char* file, int line);
// Returns the calling thread's fiber, with its result in `value`.
Fiber* collective(Collective what, uint32_t mask, uint64_t value, int argument, int width, const char* file, int line);
const char* collective_name(Collective what);

// Value of one lane out of a collective over values of T.
template <class T>
inline T exchange(Collective what, uint32_t mask, T value, int argument, int width, const char* file, int line) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = collective(what, mask, bits, argument, width, file, line)->value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace cairn::simt

// This one macro writes the two default arguments; it is undefined again below.
#define CAIRN_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(CAIRN_SITE) {
  cairn::simt::barrier(file, line);
}
inline int __syncthreads_count(int vote, CAIRN_SITE) {
  return cairn::simt::barrier_count(vote != 0, file, line);
}
inline int __syncthreads_or(int vote, CAIRN_SITE) {
  return cairn::simt::barrier_count(vote != 0, file, line) != 0;
}
inline int __syncthreads_and(int vote, CAIRN_SITE) {
  return cairn::simt::barrier_count(vote == 0, file, line) == 0;
}

namespace cairn::simt {
inline void cluster_sync(CAIRN_SITE) {
  cluster_barrier(file, line);
}
}  // namespace cairn::simt

inline void __syncwarp(unsigned mask = 0xffffffffu, CAIRN_SITE) {
  cairn::simt::collective(cairn::simt::Collective::sync, mask, 0, 0, 32, file, line);
}
template <class T>
inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::shuffle, mask, value, lane, width, file, line);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::shuffle_up, mask, value, static_cast<int>(delta), width, file,
                               line);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::shuffle_down, mask, value, static_cast<int>(delta), width, file,
                               line);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::shuffle_xor, mask, value, lane_mask, width, file, line);
}
inline unsigned __ballot_sync(unsigned mask, int vote, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::ballot, mask, unsigned{vote != 0}, 0, 32, file, line);
}
inline int __any_sync(unsigned mask, int vote, CAIRN_SITE) {
  return __ballot_sync(mask, vote, file, line) != 0;
}
inline int __all_sync(unsigned mask, int vote, CAIRN_SITE) {
  return __ballot_sync(mask, !vote, file, line) == 0;
}
inline unsigned __reduce_add_sync(unsigned mask, unsigned value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_add, mask, value, 0, 32, file, line);
}
inline int __reduce_add_sync(unsigned mask, int value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_add, mask, value, 0, 32, file, line);
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_min, mask, value, 0, 32, file, line);
}
inline int __reduce_min_sync(unsigned mask, int value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_min_signed, mask, value, 0, 32, file, line);
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_max, mask, value, 0, 32, file, line);
}
inline int __reduce_max_sync(unsigned mask, int value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_max_signed, mask, value, 0, 32, file, line);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_and, mask, value, 0, 32, file, line);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_or, mask, value, 0, 32, file, line);
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value, CAIRN_SITE) {
  return cairn::simt::exchange(cairn::simt::Collective::reduce_xor, mask, value, 0, 32, file, line);
}

#undef CAIRN_SITE
