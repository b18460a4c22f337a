#include "apps/device_flags.h"

#include <fmt/format.h>

#include <cstdio>

#include "framework/error.h"
#include "kernels/cpu_share.h"
#include "kernels/registry.h"

namespace cairn::app {
namespace {

// cudnn on a GPU, eigen without one.
std::string fastest_implementation() {
  const Backend* cudnn = find_backend("cudnn", Where::cuda);
  return cudnn && cudnn->device_count() > 0 ? "cudnn" : "eigen";
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
  const std::string line =
      fmt::format("{}: --threads {} is more than this process may use ({}): threads will wait for one another\n",
                  program, threads, share.text());
  std::fputs(line.c_str(), stderr);  // a warning that cannot be written is no failure
}

Precision precision_from(const std::string& name) {
  if (name == "fp32") return Precision::fp32;
  if (name == "tf32") return Precision::tf32;
  if (name == "bf16") return Precision::bf16;
  throw UsageError("unknown precision '" + name + "': choose one of fp32, tf32, bf16");
}

}  // namespace cairn::app
