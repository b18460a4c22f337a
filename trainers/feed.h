// What brings a batch's rows to the device ahead of each step, where they do not all lie there. The buffers that a step
// reads stay the same, so that it can be replayed. Not here: the steps (loop.h), where rows come from
// (streamed_images.h).
#pragma once

#include <cstdint>
#include <span>

namespace cairn {

class Feed {
 public:
  virtual ~Feed() = default;
  // The epoch's order; `done` of its rows have been trained on.
  virtual void begin_epoch(std::span<const int32_t> order, int64_t done) = 0;
  virtual void next(int64_t rows) = 0;
};

}  // namespace cairn
