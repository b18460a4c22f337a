// The step clock. Not here: who reads it (rows.cpp, random.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void finish_step(Stream&, const FinishStepArgs& args) {
  with_type(args.dtype, "finish_step", [&]<class T>(Type<T>) {
    args.history[*args.step % args.capacity] = static_cast<float>(*static_cast<const T*>(args.value));
    *args.step += 1;
  });
}

}  // namespace cairn::reference
