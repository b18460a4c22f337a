// Seconds since it was made, on a clock that never goes back. Not here: what is made of them.
#pragma once

#include <chrono>

namespace cairn {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace cairn
