// Batch normalisation and local response normalisation, forward and backward. Not here: softmax (softmax.cpp).
#include <algorithm>

#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

// Calls body(element) for every element of channel c.
template <class Args, class Body>
void for_each_of_channel(const Args& args, int64_t c, const Body& body) {
  for (int64_t n = 0; n < args.batch; ++n)
    for (int64_t i = 0; i < args.plane; ++i) body((n * args.channels + c) * args.plane + i);
}

struct Moments {
  double mean, variance;  // biased
};
template <class Args, class T>
Moments moments_of(const Args& args, const T* x, int64_t c, double count) {
  Moments moments{0, 0};
  for_each_of_channel(args, c, [&](int64_t i) { moments.mean += x[i] / count; });
  for_each_of_channel(args, c, [&](int64_t i) {
    const double difference = x[i] - moments.mean;
    moments.variance += difference * difference / count;
  });
  return moments;
}

// The channels that the window of channel c covers.
struct Span {
  int64_t begin, end;
};
template <class Args>
Span window_of(const Args& args, int64_t c) {
  return {std::max<int64_t>(c - args.size / 2, 0), std::min(c + (args.size - 1) / 2 + 1, args.channels)};
}

// Calls body(element of channel 0) for every place of every image.
template <class Args, class Body>
void for_each_place(const Args& args, const Body& body) {
  for (int64_t n = 0; n < args.batch; ++n)
    for (int64_t i = 0; i < args.plane; ++i) body(n * args.channels * args.plane + i);
}

}  // namespace

void batch_norm_forward(Stream&, const BatchNormForwardArgs& args) {
  with_type(args.dtype, "batch_norm_forward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    const auto count = static_cast<double>(args.batch * args.plane);
    if (count == 0) return;
    for (int64_t c = 0; c < args.channels; ++c) {
      T& running_mean = static_cast<T*>(args.running_mean)[c];
      T& running_variance = static_cast<T*>(args.running_variance)[c];
      Moments moments{running_mean, running_variance};
      if (args.training) {
        moments = moments_of(args, x, c, count);
        running_mean = static_cast<T>((1 - args.momentum) * running_mean + args.momentum * moments.mean);
        if (count > 1)
          running_variance = static_cast<T>((1 - args.momentum) * running_variance +
                                            args.momentum * moments.variance * count / (count - 1));
      }
      const double inverse_std = 1 / std::sqrt(moments.variance + args.epsilon);
      static_cast<T*>(args.mean)[c] = static_cast<T>(moments.mean);
      static_cast<T*>(args.inverse_std)[c] = static_cast<T>(inverse_std);
      const double weight = static_cast<const T*>(args.weight)[c], bias = static_cast<const T*>(args.bias)[c];
      for_each_of_channel(args, c, [&](int64_t i) {
        static_cast<T*>(args.y)[i] = static_cast<T>((x[i] - moments.mean) * inverse_std * weight + bias);
      });
    }
  });
}

void batch_norm_backward(Stream&, const BatchNormBackwardArgs& args) {
  with_type(args.dtype, "batch_norm_backward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    const T* dy = static_cast<const T*>(args.dy);
    const auto count = static_cast<double>(args.batch * args.plane);
    for (int64_t c = 0; c < args.channels; ++c) {
      const double mean = static_cast<const T*>(args.mean)[c];
      const double inverse_std = static_cast<const T*>(args.inverse_std)[c];
      const double weight = static_cast<const T*>(args.weight)[c];
      double dbias = 0, dweight = 0;
      for_each_of_channel(args, c, [&](int64_t i) {
        dbias += dy[i];
        dweight += dy[i] * ((x[i] - mean) * inverse_std);
      });
      if (args.dbias) store(static_cast<T*>(args.dbias)[c], dbias, args.accumulate_dbias);
      if (args.dweight) store(static_cast<T*>(args.dweight)[c], dweight, args.accumulate_dweight);
      if (!args.dx) continue;
      for_each_of_channel(args, c, [&](int64_t i) {
        const double xhat = (x[i] - mean) * inverse_std;
        const double spread = args.training ? (dbias + xhat * dweight) / count : 0;
        store(static_cast<T*>(args.dx)[i], weight * inverse_std * (dy[i] - spread), args.accumulate_dx);
      });
    }
  });
}

void local_response_norm_forward(Stream&, const LocalResponseNormForwardArgs& args) {
  with_type(args.dtype, "local_response_norm_forward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    for_each_place(args, [&](int64_t place) {
      for (int64_t c = 0; c < args.channels; ++c) {
        const Span window = window_of(args, c);
        double sum = 0;
        for (int64_t j = window.begin; j < window.end; ++j) {
          const double value = x[place + j * args.plane];
          sum += value * value;
        }
        const double scale = args.k + args.alpha / static_cast<double>(args.size) * sum;
        const int64_t element = place + c * args.plane;
        if (args.scale) static_cast<T*>(args.scale)[element] = static_cast<T>(scale);
        static_cast<T*>(args.y)[element] = static_cast<T>(x[element] * std::pow(scale, -args.beta));
      }
    });
  });
}

void local_response_norm_backward(Stream&, const LocalResponseNormBackwardArgs& args) {
  with_type(args.dtype, "local_response_norm_backward", [&]<class T>(Type<T>) {
    const T* x = static_cast<const T*>(args.x);
    const T* scale = static_cast<const T*>(args.scale);
    const T* dy = static_cast<const T*>(args.dy);
    const double factor = 2 * args.alpha * args.beta / static_cast<double>(args.size);
    for_each_place(args, [&](int64_t place) {
      for (int64_t j = 0; j < args.channels; ++j) {
        double sum = 0;
        for (int64_t c = 0; c < args.channels; ++c) {
          const Span window = window_of(args, c);
          const int64_t i = place + c * args.plane;
          if (j >= window.begin && j < window.end)
            sum += static_cast<double>(dy[i]) * x[i] * std::pow(scale[i], -args.beta - 1);
        }
        const int64_t element = place + j * args.plane;
        const double value = dy[element] * std::pow(scale[element], -args.beta) - factor * x[element] * sum;
        store(static_cast<T*>(args.dx)[element], value, args.accumulate);
      }
    });
  });
}

}  // namespace cairn::reference
