#include "apps/device_flags.h"

#include <fmt/format.h>

#include "framework/message.h"
#include "kernels/cpu_share.h"
#include "kernels/registry.h"
#include "trainers/run_config.h"

namespace cairn::app {
namespace {

// cudnn on a GPU, simd without one.
std::string fastest_implementation() {
  const Backend* cudnn = find_backend("cudnn", Where::cuda);
  return cudnn && cudnn->device_count() > 0 ? "cudnn" : "simd";
}

}  // namespace

void DeviceFlags::add(Flags& flags, DeviceOptions& options) {
  options.implementation = fastest_implementation();
  flags.add("--impl", options.implementation, "implementation of the kernels");
  flags.add("--device", options.where, "auto, cpu or cuda");
  flags.add("--precision", precision_, "fp32, tf32 or bf16, of matrix products");
  flags.add("--threads", options.threads, "CPU threads, 0 = as many as this process may use");
  flags.add("--kernel", options.kernels, "rungs to use, such as gemm=3; `info` lists them");
  flags.add_switch("--autotune", options.autotune, "cudnn: time the library's convolutions and take the fastest");
}

void DeviceFlags::resolve(DeviceOptions& options) const {
  options.precision = precision_from(precision_);
}

void warn_of_threads(const char* program, int threads) {
  const CpuShare share = cpu_share();
  if (threads <= share.cpus() || threads > 1024) return;  // which is refused
  say(fmt::format("{}: --threads {} is more than this process may use ({}): threads will wait for one another", program,
                  threads, share.text()));
}

}  // namespace cairn::app
