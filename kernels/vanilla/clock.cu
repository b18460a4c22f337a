// The step clock and other counts on the device, which a replayed step keeps itself.
#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {
namespace {

__global__ void finish_step_kernel(const float* value, float* history, int64_t capacity, int64_t* step) {
  history[*step % capacity] = value[0];
  *step += 1;
}

__global__ void increment_kernel(int64_t* value) {
  *value += 1;
}

}  // namespace

void finish_step(Stream& stream, const FinishStepArgs& args) {
  require_f32(args.dtype, "finish_step");
  simt::launch<finish_step_kernel>(stream, 1, 1, 0, static_cast<const float*>(args.value), args.history, args.capacity,
                                   args.step);
}

void increment(Stream& stream, const IncrementArgs& args) {
  simt::launch<increment_kernel>(stream, 1, 1, 0, args.value);
}

}  // namespace cairn::CAIRN_VANILLA
