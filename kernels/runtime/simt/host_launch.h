// Host form of simt::launch and of what else cuda_source.h promises. Not here: the CUDA form (cuda_launch.h).
#pragma once

#include <array>
#include <type_traits>

#include "kernels/runtime/cpu/stream.h"
#include "kernels/runtime/simt/executor.h"
#include "kernels/runtime/simt/shared_memory.h"

namespace cairn::simt {

using cpu::Stream;

// The running block's dynamic shared memory.
void* dynamic_shared();

// Of the running block: its place in its cluster, the blocks of that, and which of the grid's clusters it is. A launch
// without clusters has clusters of one block.
unsigned cluster_rank();
unsigned cluster_blocks();
unsigned cluster_index();
// The same place in the dynamic shared memory of the cluster's block `rank`. An Error for a rank that is not there or a
// pointer to anything else.
void* cluster_shared(const void* pointer, unsigned rank);
template <class T>
T* cluster_shared(T* pointer, unsigned rank) {
  return static_cast<T*>(cluster_shared(static_cast<const void*>(pointer), rank));
}

// Runs the threads of one row as a plain loop, which the compiler can vectorise. A thread that blocks sets row_split;
// when it has resumed and finished, the loop ends, because the rest of the row belongs to other fibers by then.
template <class Call>
void run_row(const void* arguments, unsigned begin, unsigned end) {
  const Call call = *static_cast<const Call*>(arguments);  // a copy, so that arguments can stay in registers
  for (unsigned x = begin; x < end; ++x) {
    threadIdx.x = x;
#if CAIRN_SIMT_RACE
    asm volatile("" ::: "memory");  // calls of the detector are added late: it must see threadIdx all the same
#endif
    call();
    if (__builtin_expect(kernel_thread().row_split, 0)) return;
  }
}

template <class T>
PointerArgument pointer_argument(const T& argument) {
  if constexpr (std::is_pointer_v<T>) {
    using Element = std::remove_pointer_t<T>;
    if constexpr (std::is_object_v<Element>) return {argument, sizeof(Element)};
    return {reinterpret_cast<const void*>(argument), 1};
  }
  return {};
}

// cluster: as in Launch.
template <auto kernel, class... Arguments>
void launch_blocks(Stream& stream, unsigned cluster, dim3 grid, dim3 block, size_t shared_bytes,
                   const Arguments&... arguments) {
  const auto call = [=] { kernel(arguments...); };
  Launch description{grid, block, shared_bytes, &run_row<decltype(call)>, &call, __PRETTY_FUNCTION__};
  description.cluster = cluster;
  description.listed = &listed_kernel<kernel>;
#if CAIRN_SIMT_RACE
  const std::array<PointerArgument, sizeof...(Arguments)> pointers{pointer_argument(arguments)...};
  description.pointers = pointers.data();
  description.pointer_count = pointers.size();
#endif
  run(stream.pool, description);
}

template <auto kernel, class... Arguments>
void launch(Stream& stream, dim3 grid, dim3 block, size_t shared_bytes, Arguments... arguments) {
  launch_blocks<kernel>(stream, 0, grid, block, shared_bytes, arguments...);
}

template <auto kernel, class... Arguments>
void launch_cluster(Stream& stream, unsigned clusters, unsigned blocks, unsigned threads, size_t shared_bytes,
                    Arguments... arguments) {
  launch_blocks<kernel>(stream, blocks, clusters, {threads, 1, blocks}, shared_bytes, arguments...);
}

// Whether the kernel, as it runs on this device, knows clusters.
template <auto kernel>
bool has_clusters(Stream&) {
  return true;
}

// How many clusters of this shape the device can run at once; 0: none, and a launch would fail.
template <auto kernel>
int most_clusters(Stream&, unsigned blocks, unsigned threads, size_t shared_bytes) {
  return blocks <= kMaxClusterBlocks && threads * blocks <= kMaxClusterThreads && shared_bytes <= kMaxSharedBytes;
}

void start_copy(void* destination, const void* source, size_t bytes, size_t valid);
void commit_copies();
void wait_for_copies(unsigned pending);

// 16 bytes from global to shared memory; they are there after a commit, a wait and (for other threads) a barrier.
inline void copy_async16(void* destination, const void* source) {
  start_copy(destination, source, 16, 16);
}
// 4 bytes, or zeros where `there` is false; then the source is not read.
inline void copy_async4(void* destination, const void* source, bool there) {
  start_copy(destination, source, 4, there ? 4 : 0);
}
inline void copy_async_commit() {
  commit_copies();
}
// Waits until at most `pending` of this thread's committed groups are unfinished.
template <int pending>
void copy_async_wait() {
  wait_for_copies(pending);
}

}  // namespace cairn::simt

#define CAIRN_UNROLL
#define CAIRN_VANILLA vanilla_cpu
#define CAIRN_SHARED_DYNAMIC(T, name) T* const name = static_cast<T*>(cairn::simt::dynamic_shared())
