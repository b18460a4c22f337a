// The step clock and other counts on the device. Not here: what happens between two ticks.
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void finish_step(Stream&, const FinishStepArgs& args) {
  with_type(args.dtype, "finish_step", [&]<class T>(Type<T>) {
    args.history[*args.step % args.capacity] = static_cast<float>(*static_cast<const T*>(args.value));
    *args.step += 1;
  });
}

void increment(Stream&, const IncrementArgs& args) {
  *args.value += 1;
}

}  // namespace cairn::reference
