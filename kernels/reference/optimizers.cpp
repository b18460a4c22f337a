// One optimizer step over all parameters. Not here: schedules (the learning rates arrive as an array).
#include <cmath>

#include "kernels/reference/primitives.h"

namespace cairn::reference {

void sgd(Stream&, const SgdArgs& args) {
  with_type(args.dtype, "sgd", [&]<class T>(Type<T>) {
    const double learning_rate = args.learning_rates[*args.step % args.learning_rate_count];
    for (int64_t t = 0; t < args.tensor_count; ++t) {
      const OptimizerTensor& tensor = args.tensors[t];
      T* parameter = static_cast<T*>(tensor.parameter);
      const T* gradient = static_cast<const T*>(tensor.gradient);
      T* velocity = static_cast<T*>(tensor.state1);
      for (int64_t i = 0; i < tensor.count; ++i) {
        double update = gradient[i] + args.weight_decay * parameter[i];
        if (velocity) {
          if (*args.step > 0) update += args.momentum * velocity[i];
          velocity[i] = static_cast<T>(update);
        }
        parameter[i] = static_cast<T>(parameter[i] - learning_rate * update);
      }
    }
  });
}

void adam(Stream&, const AdamArgs& args) {
  with_type(args.dtype, "adam", [&]<class T>(Type<T>) {
    const double learning_rate = args.learning_rates[*args.step % args.learning_rate_count];
    const auto steps = static_cast<double>(*args.step + 1);
    const double correction1 = 1 - std::pow(args.beta1, steps);
    const double correction2 = 1 - std::pow(args.beta2, steps);
    for (int64_t t = 0; t < args.tensor_count; ++t) {
      const OptimizerTensor& tensor = args.tensors[t];
      T* parameter = static_cast<T*>(tensor.parameter);
      T* first_moment = static_cast<T*>(tensor.state1);
      T* second_moment = static_cast<T*>(tensor.state2);
      for (int64_t i = 0; i < tensor.count; ++i) {
        double value = parameter[i];
        double gradient = static_cast<const T*>(tensor.gradient)[i];
        if (args.decoupled)
          value -= learning_rate * args.weight_decay * value;
        else
          gradient += args.weight_decay * value;
        const double m = args.beta1 * first_moment[i] + (1 - args.beta1) * gradient;
        const double v = args.beta2 * second_moment[i] + (1 - args.beta2) * gradient * gradient;
        first_moment[i] = static_cast<T>(m);
        second_moment[i] = static_cast<T>(v);
        value -= learning_rate / correction1 * m / (std::sqrt(v / correction2) + args.epsilon);
        parameter[i] = static_cast<T>(value);
      }
    }
  });
}

}  // namespace cairn::reference
