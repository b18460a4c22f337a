// The flags of every program that computes: --impl, --device, --precision, --threads, --kernel, --autotune. Not
// here: parsing (flags.h), opening the device (framework/device.h).
#pragma once

#include <string>

#include "apps/flags.h"
#include "framework/device.h"

namespace cairn::app {

class DeviceFlags {
 public:
  // options must outlive parse; its implementation becomes the fastest that this machine has.
  void add(Flags& flags, DeviceOptions& options);
  // After parse. Throws UsageError for an unknown precision.
  void resolve(DeviceOptions& options) const;

 private:
  std::string precision_ = "fp32";
};

// A line on stderr where more threads were asked for than the process may use; the run goes on.
void warn_of_threads(const char* program, int threads);

}  // namespace cairn::app
