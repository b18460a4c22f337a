#include "kernels/runtime/simt/collectives.h"

#include <algorithm>
#include <bit>
#include <string>

#include "kernels/runtime/simt/report.h"
#include "kernels/runtime/simt/scheduler.h"

namespace cairn::simt {
namespace {

// What goes wrong is kept out of line: texts put together in a barrier would cost each pass of it a frame.
[[noreturn]] __attribute__((noinline, cold)) void fail_at_different_barriers(Worker& worker) {
  fail(worker, "barrier divergence, threads wait at different barriers: " + describe_threads(worker));
}

[[noreturn]] __attribute__((noinline, cold)) void fail_call(Worker& worker, const Fiber& fiber) {
  const std::string call = std::string(collective_name(fiber.what)) + " at " + place(fiber.file, fiber.line);
  if (!(fiber.mask >> (fiber.linear % 32) & 1)) fail(worker, call + ": the calling lane is not in its own mask");
  fail(worker, call + ": width " + std::to_string(fiber.width) + " is not a power of two up to 32");
}

[[noreturn]] __attribute__((noinline, cold)) void fail_at_mismatch(Worker& worker) {
  fail(worker, "warp collective mismatch, lanes named in one mask call different collectives, masks or widths: " +
                   describe_threads(worker));
}

[[noreturn]] __attribute__((noinline, cold)) void fail_outside_mask(Worker& worker, const Fiber& fiber, int source) {
  fail(worker, std::string(collective_name(fiber.what)) + " at " + place(fiber.file, fiber.line) + ": thread " +
                   text_of(fiber.thread) + " reads lane " + std::to_string(source) + ", which is not in the mask");
}

__attribute__((always_inline)) inline Fiber* arrive(const char* what, const char* file, int line, int votes) {
  Worker* worker = current_worker;
  if (__builtin_expect(!worker || !worker->in_kernel(), 0)) worker_in_kernel(what);
  Fiber* fiber = worker->running;
  if (!worker->row_split) split_row(*worker, fiber);
  fiber->file = file;
  fiber->line = line;
  if (worker->waiting_end == worker->waiting) {
    worker->barrier_file = file;
    worker->barrier_line = line;
  }
  *worker->waiting_end++ = fiber;
  if (__builtin_expect(line != worker->barrier_line || file != worker->barrier_file, 0) &&
      (line != worker->barrier_line || std::strcmp(file, worker->barrier_file) != 0))
    fail_at_different_barriers(*worker);
  worker->votes += votes;
  Fiber* to = pick(*worker);
  if (to == fiber) {
    worker->thread = fiber->thread;
    return fiber;
  }
  return resume(*worker, fiber, to);
}

// Out of line, so that nothing of barrier_count lives across the switch in the same frame.
__attribute__((noinline)) Fiber* arrive_with_vote(int vote, const char* file, int line) {
  return arrive("__syncthreads_count", file, line, vote);
}

const char* const kNames[] = {"__shfl_sync",       "__shfl_up_sync",    "__shfl_down_sync",  "__shfl_xor_sync",
                              "__ballot_sync",     "__syncwarp",        "__reduce_add_sync", "__reduce_min_sync",
                              "__reduce_max_sync", "__reduce_min_sync", "__reduce_max_sync", "__reduce_and_sync",
                              "__reduce_or_sync",  "__reduce_xor_sync"};

// Which lane a lane's shuffle reads.
int source_lane(const Fiber& fiber, int lane) {
  const int width = fiber.width;
  const int offset = lane & (width - 1);
  const int segment = lane - offset;
  const int argument = fiber.argument;
  switch (fiber.what) {
    case Collective::shuffle:
      return segment + (argument & (width - 1));
    case Collective::shuffle_up:
      return argument >= 0 && argument <= offset ? lane - argument : lane;
    case Collective::shuffle_down:
      return argument >= 0 && argument < width - offset ? lane + argument : lane;
    default: {  // shuffle_xor: may read an earlier segment, but no later one
      const int source = lane ^ argument;
      return source >= 0 && source < segment + width ? source : lane;
    }
  }
}

uint32_t reduce(Collective what, uint32_t a, uint32_t b) {
  switch (what) {
    case Collective::reduce_add:
      return a + b;
    case Collective::reduce_min:
      return std::min(a, b);
    case Collective::reduce_max:
      return std::max(a, b);
    case Collective::reduce_min_signed:
      return static_cast<uint32_t>(std::min(static_cast<int32_t>(a), static_cast<int32_t>(b)));
    case Collective::reduce_max_signed:
      return static_cast<uint32_t>(std::max(static_cast<int32_t>(a), static_cast<int32_t>(b)));
    case Collective::reduce_and:
      return a & b;
    case Collective::reduce_or:
      return a | b;
    default:
      return a ^ b;
  }
}

// All lanes of the mask have arrived: computes every lane's result now, so that nobody looks into another lane's fiber
// later, when that lane may already be in its next collective.
void complete(Worker& worker, Fiber* const* lanes, uint32_t mask, const Fiber& last) {
  uint64_t values[32];
  for (uint32_t left = mask; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    const Fiber& fiber = *lanes[lane];
    if (__builtin_expect(fiber.what != last.what || fiber.mask != mask || fiber.width != last.width, 0))
      fail_at_mismatch(worker);
    values[lane] = fiber.value;
  }
  if (last.what == Collective::sync) return;
  if (last.what <= Collective::shuffle_xor) {
    for (uint32_t left = mask; left; left &= left - 1) {
      const int lane = std::countr_zero(left);
      Fiber& fiber = *lanes[lane];
      const int source = source_lane(fiber, lane);
      if (__builtin_expect(!(mask >> source & 1), 0)) fail_outside_mask(worker, fiber, source);
      fiber.value = values[source];
    }
    return;
  }
  uint32_t result = 0;
  bool first = true;
  for (uint32_t left = mask; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    const auto value = static_cast<uint32_t>(values[lane]);
    if (last.what == Collective::ballot) {
      result |= value << lane;
    } else {
      result = first ? value : reduce(last.what, result, value);
    }
    first = false;
  }
  for (uint32_t left = mask; left; left &= left - 1) lanes[std::countr_zero(left)]->value = result;
}

}  // namespace

const char* collective_name(Collective what) {
  return kNames[static_cast<int>(what)];
}

void barrier(const char* file, int line) {
  arrive("__syncthreads", file, line, 0);
}

void cluster_barrier(const char* file, int line) {
  if (Worker* worker = current_worker) worker->at_cluster_sync = true;
  arrive("cluster_sync", file, line, 0);
}

int barrier_count(bool vote, const char* file, int line) {
  arrive_with_vote(vote, file, line);
  return current_worker->vote_result;
}

Fiber* collective(Collective what, uint32_t mask, uint64_t value, int argument, int width, const char* file, int line) {
  Worker* worker = current_worker;
  if (__builtin_expect(!worker || !worker->in_kernel(), 0)) worker_in_kernel(collective_name(what));
  Fiber* fiber = worker->running;
  if (!worker->row_split) split_row(*worker, fiber);
  const unsigned warp = fiber->linear / 32;
  const unsigned lane = fiber->linear % 32;
  const unsigned lanes_left = worker->thread_count - warp * 32;
  if (lanes_left < 32) mask &= (1u << lanes_left) - 1;  // lanes past the end of the block do not exist
  fiber->what = what;
  fiber->mask = mask;
  fiber->value = value;
  fiber->argument = argument;
  fiber->width = static_cast<uint8_t>(width);
  fiber->file = file;
  fiber->line = line;
  if (__builtin_expect(!(mask >> lane & 1) || width < 1 || width > 32 || (width & (width - 1)) != 0, 0))
    fail_call(*worker, *fiber);
  const uint32_t arrived = worker->arrived[warp] |= 1u << lane;
  if ((arrived & mask) != mask) return resume(*worker, fiber, pick(*worker));
  Fiber** lanes = worker->by_index + warp * 32;
  complete(*worker, lanes, mask, *fiber);
  worker->arrived[warp] = arrived & ~mask;
  ++worker->warp_epoch[warp];
  Fiber** first_released = worker->released_lanes + worker->released;
  for (uint32_t left = mask & ~(1u << lane); left;) {  // the lowest lane on top of the stack
    const int highest = 31 - std::countl_zero(left);
    left &= ~(1u << highest);
    worker->released_lanes[worker->released++] = lanes[highest];
  }
  if (!worker->forward) worker->shuffle(first_released, worker->released_lanes + worker->released);
  return fiber;
}

}  // namespace cairn::simt
