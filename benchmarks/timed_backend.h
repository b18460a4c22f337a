// An implementation's table whose entries time themselves: how a training step is split by kernel with no hook in the
// framework, and nothing at all where nobody measures. Not here: what is made of the times (step.h).
#pragma once

#include <memory>
#include <vector>

#include "benchmarks/costs.h"
#include "framework/device.h"

namespace cairn::benchmarks {

// The launches of a training step by their place in it, up to and with finish_step; or sgd_steps alone, whose time and
// cost count by the step.
struct Profile {
  struct Launch {
    const char* primitive;
    std::string shape;
    Cost cost;
    double seconds = 0;  // over all steps
  };
  std::vector<Launch> launches;
  int64_t steps = 0;
  size_t next = 0;         // the place of the launch to come
  bool irregular = false;  // a step was not like the first

  // After the last launch of one; finish_step and sgd_steps say so themselves.
  void end_steps(int64_t count) {
    irregular = irregular || next != launches.size();
    next = 0;
    steps += count;
  }
};

// The table of `backend` with every entry timed. Streams of it are opened by a TimedDevice alone.
Backend timed(const Backend& backend);

// A device whose entries forward to those of `backend`, or of what stands in for its null entries, and with a profile
// attached also time the call. On a GPU an entry then waits for it, except in a capture, whose replay does not come by.
class TimedDevice {
 public:
  TimedDevice(const Backend& backend, const DeviceOptions& options);
  const std::shared_ptr<Device>& device() const { return device_; }
  // Where launches on this device's stream are noted from now on, or null.
  void attach(Profile* profile) { *profile_ = profile; }

 private:
  std::shared_ptr<Profile*> profile_;
  std::shared_ptr<Device> device_;
};

}  // namespace cairn::benchmarks
