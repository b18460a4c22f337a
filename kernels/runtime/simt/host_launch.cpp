#include "kernels/runtime/simt/host_launch.h"

#include "kernels/runtime/simt/race.h"
#include "kernels/runtime/simt/report.h"
#include "kernels/runtime/simt/scheduler.h"

namespace cairn::simt {

void* dynamic_shared() {
  const Worker& worker = worker_in_kernel("CAIRN_SHARED_DYNAMIC");
  const size_t rank = worker.launch->cluster ? worker.thread.z : 0;
  return static_cast<char*>(worker.dynamic_shared) + rank * worker.launch->shared_stride();
}

unsigned cluster_rank() {
  const Worker& worker = worker_in_kernel("cluster_rank");
  return worker.launch->cluster ? worker.thread.z : 0;
}

unsigned cluster_blocks() {
  return worker_in_kernel("cluster_blocks").launch->blocks_at_once();
}

unsigned cluster_index() {
  const Worker& worker = worker_in_kernel("cluster_index");
  return worker.block.x / worker.launch->blocks_at_once();
}

void* cluster_shared(const void* pointer, unsigned rank) {
  Worker& worker = worker_in_kernel("cluster_shared");
  const Launch& launch = *worker.launch;
  if (rank >= launch.blocks_at_once())
    fail(worker, "cluster_shared: there is no block " + std::to_string(rank) + " in a cluster of " +
                     std::to_string(launch.blocks_at_once()));
  char* own = static_cast<char*>(dynamic_shared());
  const ptrdiff_t offset = static_cast<const char*>(pointer) - own;
  if (offset < 0 || offset > static_cast<ptrdiff_t>(launch.shared_bytes))
    fail(worker, "cluster_shared: the pointer is not into this block's dynamic shared memory");
  return static_cast<char*>(worker.dynamic_shared) + rank * launch.shared_stride() + offset;
}

void start_copy(void* destination, const void* source, size_t bytes, size_t valid) {
  Worker& worker = worker_in_kernel("an asynchronous copy");
#if CAIRN_SIMT_RACE
  if (valid > 0) note_access(source, valid, Access::read, __builtin_return_address(0));
  note_access(destination, bytes, Access::write, __builtin_return_address(0));
#endif
  worker.copies.start(worker.linear_thread(), destination, source, bytes, valid);
}

void commit_copies() {
  Worker& worker = worker_in_kernel("copy_async_commit");
  worker.copies.commit(worker.linear_thread());
}

void wait_for_copies(unsigned pending) {
  Worker& worker = worker_in_kernel("copy_async_wait");
  worker.copies.wait(worker.linear_thread(), pending);
}

}  // namespace cairn::simt
