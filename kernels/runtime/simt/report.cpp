#include "kernels/runtime/simt/report.h"

#include <vector>

#include "kernels/runtime/simt/collectives.h"
#include "kernels/runtime/simt/kernel_name.h"
#include "kernels/runtime/simt/scheduler.h"

namespace cairn::simt {

std::string text_of(const uint3& index) {
  std::string text = "(";
  text += std::to_string(index.x) + "," + std::to_string(index.y) + "," + std::to_string(index.z) + ")";
  return text;
}

std::string file_name(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string place(const char* file, int line) {
  return file_name(file) + ":" + std::to_string(line);
}

std::string thread_text(const Worker& worker, unsigned linear_thread) {
  uint3 thread = thread_at(worker.launch->block, linear_thread);
  if (worker.launch->cluster) thread.z = 0;
  return text_of(thread);
}

std::string prefix(const Worker& worker, unsigned linear_thread) {
  const uint3 block{worker.block.x + worker.rank_of(linear_thread), worker.block.y, worker.block.z};
  return "kernel " + kernel_name(worker.launch->signature) + ", block " + text_of(block) + ", thread " +
         thread_text(worker, linear_thread) + ": ";
}

void fail(Worker& worker, const std::string& text) {
  throw Error(prefix(worker, worker.linear_thread()) + text);
}

std::string describe_threads(const Worker& worker) {
  const unsigned count = worker.thread_count;
  std::vector<std::string> states(count, "exited");
  for (Fiber** f = worker.waiting; f < worker.waiting_end; ++f)
    states[(*f)->linear] = "wait at __syncthreads " + place((*f)->file, (*f)->line);
  for (Fiber** f = worker.ready; f < worker.ready_end; ++f) states[(*f)->linear] = "run";
  for (unsigned i = 0; i < worker.released; ++i) states[worker.released_lanes[i]->linear] = "run";
  for (unsigned i = 0; i < count; ++i) {
    if (!(worker.arrived[i / 32] >> (i % 32) & 1)) continue;
    const Fiber* fiber = worker.by_index[i];
    states[i] = std::string("wait at ") + collective_name(fiber->what) + " " + place(fiber->file, fiber->line);
  }
  for (const Parked& parked : worker.parked)
    states[parked.fiber->linear] = "wait at a TransferBarrier " + place(parked.fiber->file, parked.fiber->line);
  for (unsigned i = worker.next; i < count; ++i)
    states[worker.forward ? i : worker.start_order[i]] = "have not started";
  constexpr int kMaxGroups = 6;
  std::string text;
  int groups = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (states[i].empty()) continue;
    const std::string state = states[i];
    unsigned members = 0;
    for (unsigned j = i; j < count; ++j) {
      if (states[j] != state) continue;
      ++members;
      states[j].clear();
    }
    if (groups == kMaxGroups) return text + "; ...";
    if (groups++) text += "; ";
    text += std::to_string(members) + (members == 1 ? " thread, " : " threads, first ") +
            text_of(thread_at(worker.launch->block, i)) + ", " + state;
  }
  return text;
}

}  // namespace cairn::simt
