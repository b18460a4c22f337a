// The step clock and other counts.
#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"

namespace cairn::simd {

void finish_step(Stream&, const FinishStepArgs& args) {
  require_f32(args.dtype, "finish_step");
  if (args.capacity > 0) args.history[*args.step % args.capacity] = floats(args.value)[0];
  *args.step += 1;
}

void increment(Stream&, const IncrementArgs& args) {
  *args.value += 1;
}

}  // namespace cairn::simd
