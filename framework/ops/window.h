// How far a sliding window gets: the sizes that convolutions and pools share, and their checks. Not here: the ops.
#pragma once

#include <limits>
#include <string>

#include "framework/ops/check.h"

namespace cairn {

// One axis of an image and the window that slides along it.
struct WindowAxis {
  int64_t in, window, stride, pad;
};

// The number of places of the window: floor((in + 2 pad - window) / stride) + 1. With ceil the window may reach beyond
// the padding, as long as it begins before it (PyTorch's ceil_mode).
inline int64_t window_places(const WindowAxis& axis, bool ceil = false) {
  const int64_t room = axis.in + 2 * axis.pad - axis.window;
  int64_t places = (room + (ceil ? axis.stride - 1 : 0)) / axis.stride + 1;
  if (ceil && (places - 1) * axis.stride >= axis.in + axis.pad) --places;
  return places;
}

namespace check {

inline std::string times(int64_t height, int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

// x: N x C x H x W. window_name: "kernel" or "window".
inline void window(const char* op, const Shape& x, const std::string& window_name, const WindowAxis& height,
                   const WindowAxis& width, const std::string& came) {
  const auto both = [&](auto holds) { return holds(height) && holds(width); };
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();  // sums of three cannot overflow
  const auto from = [](int least) { return std::to_string(least) + " to " + std::to_string(kMost); };
  if (!both([](const WindowAxis& a) { return a.in >= 1 && a.in <= kMost; }))
    fail(op, "x (N x C x H x W) must have " + from(1) + " rows and columns", x.text());
  if (!both([](const WindowAxis& a) { return a.window >= 1 && a.window <= kMost; }))
    fail(op, "the " + window_name + " must have " + from(1) + " rows and columns", came);
  if (!both([](const WindowAxis& a) { return a.stride >= 1 && a.stride <= kMost; }))
    fail(op, "strides must be " + from(1), times(height.stride, width.stride) + " for x " + x.text());
  if (!both([](const WindowAxis& a) { return a.pad >= 0 && a.pad <= kMost; }))
    fail(op, "padding must be " + from(0), times(height.pad, width.pad) + " for x " + x.text());
  if (!both([](const WindowAxis& a) { return a.window <= a.in + 2 * a.pad; }))
    fail(op, "the " + window_name + " must fit into x (N x C x H x W) with its padding", came);
}

}  // namespace check
}  // namespace cairn
