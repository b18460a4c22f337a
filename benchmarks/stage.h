// The arrays of one case at one place, and the timing of calls on them. Not here: which implementations call
// (kernels.h, ladder.h).
#pragma once

#include <memory>
#include <vector>

#include "benchmarks/cases.h"
#include "benchmarks/timing.h"

namespace cairn::benchmarks {

constexpr size_t kGpuRotationBytes = size_t{256} << 20;  // twice the largest second-level cache there is

// Used by all implementations there in turn.
class Stage {
 public:
  // rotation_bytes: of sets of arrays that the calls go round over; 0: one set.
  Stage(const Case& one, const Backend& backend, DType real, size_t rotation_bytes, double input_rounding);

  const Calls& calls() const { return *calls_; }
  const std::vector<Place::Output>& outputs() const { return outputs_; }

  // One call on the first set as it was at the start: its outputs.
  std::vector<std::vector<double>> results(const OpenStream& stream);

 private:
  void copy_image(size_t set);

  OpenStream stream_;
  std::unique_ptr<Calls> calls_;
  size_t bytes_ = 0;
  std::vector<std::byte> image_;
  std::unique_ptr<DeviceBlock> block_;
  std::vector<Place::Output> outputs_;
};

// On the CPU the calls themselves are timed. On a GPU at least one round over the sets is captured and replayed, so
// that what the host takes to launch a kernel is not in the clock; it is read at both ends of many replays, with the
// GPU idle. The case's first call, which allocates and plans, comes before.
Timing time_calls(const Calls& calls, const OpenStream& stream, const Sampling& sampling);

}  // namespace cairn::benchmarks
