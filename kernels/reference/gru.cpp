// The gated recurrent unit through time, forward and backward. Nothing is kept for the backward pass: it goes through
// the steps once more, so that no value of theirs was rounded to a float. Not here: single activations
// (activations.cpp).
#include <vector>

#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

// batch x steps x width, in double.
class Steps {
 public:
  Steps(int64_t batch, int64_t steps, int64_t width)
      : steps_(steps), width_(width), values_(static_cast<size_t>(batch * steps * width)) {}
  double* at(int64_t b, int64_t t) { return values_.data() + (b * steps_ + t) * width_; }
  const double* at(int64_t b, int64_t t) const { return values_.data() + (b * steps_ + t) * width_; }

 private:
  int64_t steps_, width_;
  std::vector<double> values_;
};

struct Unrolled {
  Steps r, z, n;
  Steps hn;  // W_hn h + b_hn
  Steps h;   // before each step, and after the last
};

// weight[row,:] . values + bias[row]
template <class T, class Value>
double product(const void* weight, const void* bias, int64_t row, int64_t columns, const Value* values) {
  const T* w = static_cast<const T*>(weight) + row * columns;
  double total = bias ? static_cast<const T*>(bias)[row] : 0;
  for (int64_t c = 0; c < columns; ++c) total += static_cast<double>(w[c]) * values[c];
  return total;
}

template <class T, class Args>
Unrolled unroll(const Args& args) {
  const int64_t batch = args.shape.batch, time = args.shape.time, inputs = args.shape.inputs,
                hidden = args.shape.hidden;
  Unrolled all{{batch, time, hidden},
               {batch, time, hidden},
               {batch, time, hidden},
               {batch, time, hidden},
               {batch, time + 1, hidden}};
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t j = 0; j < hidden && args.h0; ++j) all.h.at(b, 0)[j] = static_cast<const T*>(args.h0)[b * hidden + j];
    for (int64_t t = 0; t < time; ++t) {
      const T* x = static_cast<const T*>(args.x) + (b * time + t) * inputs;
      const double* h = all.h.at(b, t);
      for (int64_t j = 0; j < hidden; ++j) {
        const auto from_x = [&](int gate) {
          return product<T>(args.weight_ih, args.bias_ih, gate * hidden + j, inputs, x);
        };
        const auto from_h = [&](int gate) {
          return product<T>(args.weight_hh, args.bias_hh, gate * hidden + j, hidden, h);
        };
        const double r = sigmoid(from_x(0) + from_h(0)), z = sigmoid(from_x(1) + from_h(1)), hn = from_h(2);
        const double n = std::tanh(from_x(2) + r * hn);
        all.r.at(b, t)[j] = r;
        all.z.at(b, t)[j] = z;
        all.n.at(b, t)[j] = n;
        all.hn.at(b, t)[j] = hn;
        all.h.at(b, t + 1)[j] = (1 - z) * n + z * h[j];
      }
    }
  }
  return all;
}

// The gradients of what the gates' sigmoids and tanh were taken of, 3 hidden a step: of the part that came from x and
// of that which came from h; they differ in n. Returns also the gradient of h0, as the state before the first step.
struct GateGradients {
  Steps from_x, from_h;
  Steps dh0;
};

template <class T>
GateGradients gate_gradients(const GruBackwardArgs& args, const Unrolled& all) {
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  GateGradients gradients{{batch, time, 3 * hidden}, {batch, time, 3 * hidden}, {batch, 1, hidden}};
  const T* dy = static_cast<const T*>(args.dy);
  const T* weight = static_cast<const T*>(args.weight_hh);
  for (int64_t b = 0; b < batch; ++b) {
    double* dh = gradients.dh0.at(b, 0);  // of the state after step t, and then of the one before it
    for (int64_t j = 0; j < hidden && args.last_only; ++j) dh[j] = dy[b * hidden + j];
    for (int64_t t = time - 1; t >= 0; --t) {
      double* x_gates = gradients.from_x.at(b, t);
      double* h_gates = gradients.from_h.at(b, t);
      for (int64_t j = 0; j < hidden; ++j) {
        if (!args.last_only) dh[j] += dy[(b * time + t) * hidden + j];
        const double r = all.r.at(b, t)[j], z = all.z.at(b, t)[j], n = all.n.at(b, t)[j];
        const double dn = dh[j] * (1 - z) * (1 - n * n);
        x_gates[j] = h_gates[j] = dn * all.hn.at(b, t)[j] * r * (1 - r);
        x_gates[hidden + j] = h_gates[hidden + j] = dh[j] * (all.h.at(b, t)[j] - n) * z * (1 - z);
        x_gates[2 * hidden + j] = dn;
        h_gates[2 * hidden + j] = dn * r;
        dh[j] *= z;
      }
      for (int64_t row = 0; row < 3 * hidden; ++row)
        for (int64_t j = 0; j < hidden; ++j) dh[j] += h_gates[row] * weight[row * hidden + j];
    }
  }
  return gradients;
}

// dweight[row,c] (+)= sum over b, t of gates[b,t,row] * values(b, t)[c]
template <class T, class Values>
void weight_gradient(const GruShape& shape, const Steps& gates, int64_t columns, const Values& values, void* dweight,
                     int32_t accumulate) {
  if (!dweight) return;
  for (int64_t row = 0; row < 3 * shape.hidden; ++row) {
    for (int64_t c = 0; c < columns; ++c) {
      double total = 0;
      for (int64_t b = 0; b < shape.batch; ++b)
        for (int64_t t = 0; t < shape.time; ++t) total += gates.at(b, t)[row] * values(b, t)[c];
      store(static_cast<T*>(dweight)[row * columns + c], total, accumulate);
    }
  }
}

template <class T>
void bias_gradient(const GruShape& shape, const Steps& gates, void* dbias, int32_t accumulate) {
  constexpr double kOne = 1;
  weight_gradient<T>(
      shape, gates, 1, [&](int64_t, int64_t) { return &kOne; }, dbias, accumulate);
}

template <class T>
void input_gradient(const GruBackwardArgs& args, const Steps& gates) {
  const int64_t batch = args.shape.batch, time = args.shape.time, inputs = args.shape.inputs,
                hidden = args.shape.hidden;
  const T* weight = static_cast<const T*>(args.weight_ih);
  for (int64_t b = 0; b < batch && args.dx; ++b) {
    for (int64_t t = 0; t < time; ++t) {
      for (int64_t i = 0; i < inputs; ++i) {
        double total = 0;
        for (int64_t row = 0; row < 3 * hidden; ++row) total += gates.at(b, t)[row] * weight[row * inputs + i];
        store(static_cast<T*>(args.dx)[(b * time + t) * inputs + i], total, args.accumulate_dx);
      }
    }
  }
}

}  // namespace

void gru_forward(Stream&, const GruForwardArgs& args) {
  with_type(args.dtype, "gru_forward", [&]<class T>(Type<T>) {
    const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
    const Unrolled all = unroll<T>(args);
    T* y = static_cast<T*>(args.y);
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t t = args.last_only ? time : 1; t <= time; ++t)
        for (int64_t j = 0; j < hidden; ++j) *y++ = static_cast<T>(all.h.at(b, t)[j]);
  });
}

void gru_backward(Stream&, const GruBackwardArgs& args) {
  with_type(args.dtype, "gru_backward", [&]<class T>(Type<T>) {
    const GruShape& shape = args.shape;
    const Unrolled all = unroll<T>(args);
    const GateGradients gates = gate_gradients<T>(args, all);
    input_gradient<T>(args, gates.from_x);
    for (int64_t i = 0; i < shape.batch * shape.hidden && args.dh0; ++i)
      store(static_cast<T*>(args.dh0)[i], gates.dh0.at(0, 0)[i], args.accumulate_dh0);
    const T* x = static_cast<const T*>(args.x);
    const auto inputs = [&](int64_t b, int64_t t) { return x + (b * shape.time + t) * shape.inputs; };
    const auto states = [&](int64_t b, int64_t t) { return all.h.at(b, t); };
    weight_gradient<T>(shape, gates.from_x, shape.inputs, inputs, args.dweight_ih, args.accumulate_dweight_ih);
    weight_gradient<T>(shape, gates.from_h, shape.hidden, states, args.dweight_hh, args.accumulate_dweight_hh);
    bias_gradient<T>(shape, gates.from_x, args.dbias_ih, args.accumulate_dbias_ih);
    bias_gradient<T>(shape, gates.from_h, args.dbias_hh, args.accumulate_dbias_hh);
  });
}

}  // namespace cairn::reference
