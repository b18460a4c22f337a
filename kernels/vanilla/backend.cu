// The hand-written implementation's manifest, the same for both forms: one line per primitive, and
// the ladders in one list. Not here: the kernels.
#include "kernels/vanilla/backend.h"

#include <vector>

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// All ladders, one after the other.
const KernelVariant* variants(int32_t* count) {
  static const std::vector<KernelVariant> all = [] {
    std::vector<KernelVariant> rungs;
    for (auto ladder : {gemm_rungs(), conv2d_rungs(), gru_rungs(), sgd_steps_rungs()})
      rungs.insert(rungs.end(), ladder.begin(), ladder.end());
    return rungs;
  }();
  *count = static_cast<int32_t>(all.size());
  return all.data();
}

}  // namespace

const Backend& backend() {
  using device::entry;
  static const Backend instance = device::with_services(
      {.name = "vanilla",
       .supports_f64 = 0,
       .summary = "hand-written CUDA kernels; on the CPU the same source runs on the SIMT executor",
       .variants = variants,

#define CAIRN_PRIMITIVE(family, name, Args) .name = entry<name>,
       CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
      });
  return instance;
}

}  // namespace cairn::CAIRN_VANILLA
