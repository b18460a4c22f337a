// One optimizer step over all parameters, what bounds their gradients, and their moving average. Not here: schedules
// (the learning rates arrive as an array).
#include <algorithm>
#include <cmath>

#include "kernels/reference/primitives.h"

namespace cairn::reference {

namespace {

double factor_of(const float* gradient_factor) {
  return gradient_factor ? static_cast<double>(*gradient_factor) : 1.0;
}

}  // namespace

void sgd(Stream&, const SgdArgs& args) {
  with_type(args.dtype, "sgd", [&]<class T>(Type<T>) {
    const double learning_rate = args.learning_rates[*args.step % args.learning_rate_count];
    for (int64_t t = 0; t < args.tensor_count; ++t) {
      const OptimizerTensor& tensor = args.tensors[t];
      T* parameter = static_cast<T*>(tensor.parameter);
      const T* gradient = static_cast<const T*>(tensor.gradient);
      T* velocity = static_cast<T*>(tensor.state1);
      for (int64_t i = 0; i < tensor.count; ++i) {
        double update = factor_of(args.gradient_factor) * gradient[i] + tensor.weight_decay * parameter[i];
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
        double gradient = factor_of(args.gradient_factor) * static_cast<const T*>(tensor.gradient)[i];
        if (args.decoupled)
          value -= learning_rate * tensor.weight_decay * value;
        else
          gradient += tensor.weight_decay * value;
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

void clip_gradients(Stream&, const ClipGradientsArgs& args) {
  with_type(args.dtype, "clip_gradients", [&]<class T>(Type<T>) {
    double squares = 0;
    for (int64_t t = 0; t < args.tensor_count; ++t) {
      const T* gradient = static_cast<const T*>(args.tensors[t].gradient);
      for (int64_t i = 0; i < args.tensors[t].count; ++i) squares += static_cast<double>(gradient[i]) * gradient[i];
    }
    const double factor = args.max_norm / (std::sqrt(squares) + 1e-6);
    *args.factor = factor > 1 ? 1.0f : static_cast<float>(factor);  // nan stays nan
  });
}

void moving_average(Stream&, const MovingAverageArgs& args) {
  with_type(args.dtype, "moving_average", [&]<class T>(Type<T>) {
    const auto t = static_cast<double>(*args.step);
    const double decay = args.ramp ? std::min(args.decay, (1 + t) / (10 + t)) : args.decay;
    for (int64_t i = 0; i < args.tensor_count; ++i) {
      const T* parameter = static_cast<const T*>(args.tensors[i].parameter);
      T* average = static_cast<T*>(args.tensors[i].state1);
      for (int64_t j = 0; j < args.tensors[i].count; ++j)
        average[j] = static_cast<T>(decay * average[j] + (1 - decay) * parameter[j]);
    }
  });
}

}  // namespace cairn::reference
