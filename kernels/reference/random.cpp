// Random fills and noise. Not here: the generator itself (kernels/philox.h) and dropout's masks (elementwise.cpp).
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

void add_noise(Stream&, const AddNoiseArgs& args) {
  with_type(args.dtype, "add_noise", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    for (int64_t i = 0; i < args.count; ++i) {
      const auto step = static_cast<uint32_t>(*args.step);
      const double draw = philox::normal_at(args.seed, args.layer, step, static_cast<uint64_t>(i));
      const double value = x[i] + args.deviation * draw;
      static_cast<T*>(args.y)[i] = static_cast<T>(value < args.low ? args.low : value > args.high ? args.high : value);
    }
  });
}

void dropout(Stream&, const DropoutArgs& args) {
  with_type(args.dtype, "dropout", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    T* y = static_cast<T*>(args.y);
    for (int64_t i = 0; i < args.count; ++i) {
      const auto step = static_cast<uint32_t>(*args.step);
      const double draw = philox::uniform_at(args.seed, args.layer, step, static_cast<uint64_t>(i));
      store(y[i], draw >= args.probability ? x[i] / (1 - args.probability) : 0, args.accumulate);
    }
  });
}

}  // namespace cairn::reference
