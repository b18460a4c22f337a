#include "kernels/cudnn/timing.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace cairn::cudnn {
namespace {

class Event {
 public:
  Event() { cuda::check(cudaEventCreate(&event_), "creating a CUDA event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) { cuda::check(cudaEventRecord(event_, stream), "recording a CUDA event"); }
  float milliseconds_since(const Event& begin) const {
    cuda::check(cudaEventSynchronize(event_), "waiting for the GPU");
    float milliseconds = 0;
    cuda::check(cudaEventElapsedTime(&milliseconds, begin.event_, event_), "reading a CUDA event");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

// Least of a few runs after one to warm up: the first loads the kernel.
float milliseconds_of(Stream& stream, const Plan& plan, const Arrays& arrays, void* workspace) {
  constexpr int kRuns = 5;
  Event begin, end;
  float least = std::numeric_limits<float>::infinity();
  for (int i = 0; i < 1 + kRuns; ++i) {
    begin.record(stream.handle);
    run(stream.cudnn, plan, arrays, workspace);
    end.record(stream.handle);
    const float milliseconds = end.milliseconds_since(begin);
    if (i > 0) least = std::min(least, milliseconds);
  }
  return least;
}

}  // namespace

Plan fastest(Stream& stream, std::vector<Plan> plans, const Arrays& arrays) {
  stream.forbid_while_capturing("cuDNN's plans had to be timed");
  int64_t workspace_bytes = 0;
  for (const Plan& plan : plans) workspace_bytes = std::max(workspace_bytes, plan.workspace_bytes);
  const Scratch workspace(stream, static_cast<size_t>(workspace_bytes));
  size_t best = plans.size();
  float least = std::numeric_limits<float>::infinity();
  std::string failure;
  for (size_t i = 0; i < plans.size(); ++i) {
    try {
      const float milliseconds = milliseconds_of(stream, plans[i], arrays, workspace.get());
      if (milliseconds < least) best = i, least = milliseconds;
    } catch (const CudnnError& error) {  // an engine may yet find that it cannot; CUDA's own errors are for the caller
      failure = error.what();
    }
  }
  if (best == plans.size()) throw std::runtime_error("none of cuDNN's plans ran: " + failure);
  return std::move(plans[best]);
}

}  // namespace cairn::cudnn
