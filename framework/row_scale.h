// How the bytes of a data set become the numbers that a network sees: byte * scale + shift, one pair for all channels
// or one for each. Not here: where mean and deviation come from (the trainers' settings).
#pragma once

#include <span>
#include <vector>

#include "framework/tensor.h"

namespace cairn {

class RowScale {
 public:
  RowScale() = default;
  // As many values of each: 1, or one a channel. Throws ShapeError otherwise. Copies them to the device, so it cannot
  // be made in a captured step.
  RowScale(const std::shared_ptr<Device>& device, std::span<const float> scale, std::span<const float> shift);
  RowScale(const std::shared_ptr<Device>& device, float scale, float shift);

  int64_t channels() const { return static_cast<int64_t>(scale_.size()); }
  // Whether all channels share one pair, the first.
  bool is_uniform() const;
  const std::vector<float>& scale() const { return scale_; }
  const std::vector<float>& shift() const { return shift_; }
  // On the device: channels() values each.
  const float* device_scale() const { return on_device_.data<float>(); }
  const float* device_shift() const { return device_scale() + channels(); }
  const std::shared_ptr<Device>& device() const { return on_device_.device(); }

 private:
  std::vector<float> scale_, shift_;
  Tensor on_device_;  // 2 x channels
};

// Rows of a byte data set that may still be gathered; shared by the views of one tensor.
struct PendingBytes {
  Tensor bytes, index;  // index: not defined where all rows are meant
  RowScale scale;
  ByteRows rows;  // all of it but the scales of single channels
};

}  // namespace cairn
