// The step clock. Not here: who reads it (rows.cu, random.cu).
#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {
namespace {

__global__ void finish_step_kernel(const float* value, float* history, int64_t capacity, int64_t* step) {
  history[*step % capacity] = value[0];
  *step += 1;
}

}  // namespace

void finish_step(Stream& stream, const FinishStepArgs& args) {
  require_f32(args.dtype, "finish_step");
  simt::launch<finish_step_kernel>(stream, 1, 1, 0, static_cast<const float*>(args.value), args.history, args.capacity,
                                   args.step);
}

}  // namespace cairn::CAIRN_VANILLA
