// Random fills. Not here: the generator itself (kernels/philox.h) and dropout's masks (elementwise.cpp).
#include "kernels/philox.h"
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void uniform(Stream&, const RandomArgs& args) {
  with_type(args.dtype, "uniform", [&]<class T>(Type<T>) {
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i) {
      const double draw = philox::uniform_at(args.seed, args.stream, 0, static_cast<uint64_t>(i));
      out[i] = static_cast<T>(args.low + (args.high - args.low) * draw);
    }
  });
}

void normal(Stream&, const RandomArgs& args) {
  with_type(args.dtype, "normal", [&]<class T>(Type<T>) {
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i) {
      const double draw = philox::normal_at(args.seed, args.stream, 0, static_cast<uint64_t>(i));
      out[i] = static_cast<T>(args.low + args.high * draw);
    }
  });
}

}  // namespace cairn::reference
