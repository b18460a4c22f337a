// Choosing a plan by timing it on the GPU. Not here: which plans there are (plan.h). Not yet run on a GPU.
#pragma once

#include "kernels/cudnn/stream.h"

namespace cairn::cudnn {

// Device memory for the duration of a measurement.
class Scratch {
 public:
  Scratch(Stream& stream, size_t bytes) : stream_(stream), pointer_(stream.allocate(bytes)) {}
  ~Scratch() { stream_.release(pointer_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* get() const { return pointer_; }

 private:
  Stream& stream_;
  void* pointer_;
};

// The plan that took the least time on these arrays, whose outputs it overwrites or adds to. Waits for the GPU. Throws
// during a capture, and where none of the plans runs.
Plan fastest(Stream& stream, std::vector<Plan> plans, const Arrays& arrays);

}  // namespace cairn::cudnn
