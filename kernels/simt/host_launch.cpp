#include "kernels/simt/host_launch.h"

#include "kernels/simt/race.h"
#include "kernels/simt/scheduler.h"

namespace cairn::simt {

void* dynamic_shared() {
  return worker_in_kernel("CAIRN_SHARED_DYNAMIC").dynamic_shared;
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
