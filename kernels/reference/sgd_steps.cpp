// Whole training steps of a stack of linear layers: the step that the other primitives make together, written out once
// from the batch to the update. Not here: those primitives.
#include <algorithm>
#include <vector>

#include "kernels/reference/byte_rows.h"
#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

using Matrix = std::vector<double>;  // rows x width of a layer

// y = x weight^T + bias
template <class T>
Matrix forward(const LinearLayer& layer, const Matrix& x, int64_t rows) {
  const T* weight = static_cast<const T*>(layer.weight);
  const T* bias = static_cast<const T*>(layer.bias);
  Matrix y(static_cast<size_t>(rows * layer.out));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t o = 0; o < layer.out; ++o) {
      double total = bias[o];
      for (int64_t i = 0; i < layer.in; ++i)
        total += x[static_cast<size_t>(r * layer.in + i)] * weight[o * layer.in + i];
      y[static_cast<size_t>(r * layer.out + o)] = total;
    }
  }
  return y;
}

// The gradient with respect to the layer's input, where that is the output of a ReLU.
template <class T>
Matrix backward(const LinearLayer& layer, const Matrix& dy, const Matrix& x, int64_t rows) {
  const T* weight = static_cast<const T*>(layer.weight);
  Matrix dx(static_cast<size_t>(rows * layer.in));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < layer.in; ++i) {
      const auto at = static_cast<size_t>(r * layer.in + i);
      if (!(x[at] > 0)) continue;
      for (int64_t o = 0; o < layer.out; ++o)
        dx[at] += dy[static_cast<size_t>(r * layer.out + o)] * weight[o * layer.in + i];
    }
  }
  return dx;
}

// Turns logits into the gradient of the mean loss, and returns that loss.
double cross_entropy(Matrix& logits, const std::vector<int64_t>& labels, int64_t classes) {
  const auto rows = static_cast<int64_t>(labels.size());
  double loss = 0;
  for (int64_t r = 0; r < rows; ++r) {
    double* row = &logits[static_cast<size_t>(r * classes)];
    const double maximum = row[first_maximum(row, classes)];
    double total = 0;
    for (int64_t c = 0; c < classes; ++c) total += std::exp(row[c] - maximum);
    const int64_t label = labels[static_cast<size_t>(r)];
    loss += std::log(total) - (row[label] - maximum);
    for (int64_t c = 0; c < classes; ++c)
      row[c] = (std::exp(row[c] - maximum) / total - (c == label)) / static_cast<double>(rows);
  }
  return loss / static_cast<double>(rows);
}

struct Update {
  double learning_rate, momentum, weight_decay;
  bool first;

  template <class T>
  void apply(T& parameter, T* velocity, double gradient) const {
    gradient += weight_decay * parameter;
    if (velocity) {
      if (!first) gradient += momentum * *velocity;
      *velocity = static_cast<T>(gradient);
    }
    parameter = static_cast<T>(parameter - learning_rate * gradient);
  }

  template <class T>
  void apply(const LinearLayer& layer, const Matrix& dy, const Matrix& x, int64_t rows) const {
    T* weight_velocity = static_cast<T*>(layer.weight_velocity);
    T* bias_velocity = static_cast<T*>(layer.bias_velocity);
    for (int64_t o = 0; o < layer.out; ++o) {
      double dbias = 0;
      for (int64_t r = 0; r < rows; ++r) dbias += dy[static_cast<size_t>(r * layer.out + o)];
      apply(static_cast<T*>(layer.bias)[o], bias_velocity ? bias_velocity + o : nullptr, dbias);
      for (int64_t i = 0; i < layer.in; ++i) {
        double dweight = 0;
        for (int64_t r = 0; r < rows; ++r)
          dweight += dy[static_cast<size_t>(r * layer.out + o)] * x[static_cast<size_t>(r * layer.in + i)];
        const int64_t at = o * layer.in + i;
        apply(static_cast<T*>(layer.weight)[at], weight_velocity ? weight_velocity + at : nullptr, dweight);
      }
    }
  }
};

template <class T>
void train_step(const SgdStepsArgs& args) {
  const int64_t t = *args.step;
  const int64_t first = t % args.steps_per_epoch * args.batch_size;
  const int64_t rows = std::min(args.batch_size, args.order_count - first);
  const LinearLayer* layers = args.layers;

  // inputs[l] goes into layer l.
  const ByteRows bytes{args.images, args.order + first, rows, layers[0].in, args.scale, args.shift};
  std::vector<Matrix> inputs(1);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < layers[0].in; ++i) inputs[0].push_back(byte_value(bytes, r, i));
  std::vector<int64_t> labels;
  for (int64_t r = 0; r < rows; ++r) labels.push_back(args.labels[args.order[first + r]]);

  const int64_t last = args.layer_count - 1;
  for (int64_t l = 0; l < last; ++l) {
    inputs.push_back(forward<T>(layers[l], inputs.back(), rows));
    for (double& value : inputs.back()) value = relu(value);
  }
  Matrix dy = forward<T>(layers[last], inputs.back(), rows);
  const double loss = cross_entropy(dy, labels, layers[last].out);

  const Update update{args.learning_rates[t % args.learning_rate_count], args.momentum, args.weight_decay, t == 0};
  for (int64_t l = last; l >= 0; --l) {
    const Matrix& x = inputs[static_cast<size_t>(l)];
    const Matrix dx = l > 0 ? backward<T>(layers[l], dy, x, rows) : Matrix();
    update.apply<T>(layers[l], dy, x, rows);
    dy = dx;
  }
  args.history[t % args.history_capacity] = static_cast<float>(loss);
  *args.step = t + 1;
}

}  // namespace

void sgd_steps(Stream&, const SgdStepsArgs& args) {
  with_type(args.dtype, "sgd_steps", [&]<class T>(Type<T>) {
    for (int64_t i = 0; i < args.steps && !args.probe; ++i) train_step<T>(args);
  });
}

}  // namespace cairn::reference
