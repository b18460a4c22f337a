#include "framework/row_scale.h"

#include <algorithm>

#include "framework/error.h"

namespace cairn {

RowScale::RowScale(const std::shared_ptr<Device>& device, std::span<const float> scale, std::span<const float> shift)
    : scale_(scale.begin(), scale.end()), shift_(shift.begin(), shift.end()) {
  if (scale_.empty() || scale_.size() != shift_.size())
    throw ShapeError("a row scale needs a scale and a shift for all channels or for each, not " +
                     std::to_string(scale_.size()) + " scales and " + std::to_string(shift_.size()) + " shifts");
  std::vector<float> both = scale_;
  both.insert(both.end(), shift_.begin(), shift_.end());
  on_device_ = Tensor::from_host<float>(device, {2, channels()}, both);
}

RowScale::RowScale(const std::shared_ptr<Device>& device, float scale, float shift)
    : RowScale(device, std::span<const float>(&scale, 1), std::span<const float>(&shift, 1)) {}

bool RowScale::is_uniform() const {
  const auto same = [](const std::vector<float>& values) {
    return std::ranges::all_of(values, [&](float value) { return value == values.front(); });
  };
  return same(scale_) && same(shift_);
}

}  // namespace cairn
