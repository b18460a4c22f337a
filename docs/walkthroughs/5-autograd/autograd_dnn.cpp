// Walkthrough 5: the DNN, 784-32-32-10, on a batch of 64: backward() against the same gradients written out by hand at
// the seam, against the other implementations, and against differences of the loss.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/autograd.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "kernels/philox.h"
#include "models/model.h"

using namespace cairn;
using walkthrough::values_of;

namespace {

constexpr int64_t kRows = 64, kClasses = 10;

// A batch and the network, the same numbers on every device.
struct Setting {
  std::shared_ptr<Device> device;
  std::shared_ptr<Module> network;
  std::vector<NamedTensor> parameters;  // fc1.weight, fc1.bias, fc2.weight ...
  Tensor x, labels;
};

Setting set_up(const char* implementation, DType dtype) {
  Setting s;
  s.device = Device::open({.implementation = implementation, .where = "cpu", .threads = 1});
  Initializer initializer({}, 7);
  s.network = find_model("dnn").build(s.device, initializer, dtype);
  s.parameters = s.network->parameters();
  for (NamedTensor& parameter : s.parameters) parameter.tensor.set_requires_grad(true);
  std::vector<float> pixels;
  std::vector<int32_t> labels;
  for (uint64_t i = 0; i < kRows * 784; ++i) pixels.push_back(philox::uniform_at(1, 0, 0, i));
  for (int32_t i = 0; i < kRows; ++i) labels.push_back(i % kClasses);
  const std::vector<double> wide(pixels.begin(), pixels.end());
  s.x = dtype == DType::f32 ? Tensor::from_host<float>(s.device, {kRows, 784}, pixels)
                            : Tensor::from_host<double>(s.device, {kRows, 784}, wide);
  s.labels = Tensor::from_host<int32_t>(s.device, {kRows}, labels);
  return s;
}

// c = op(a) op(b)
void product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) {
  GemmArgs args{};
  args.dtype = a.dtype();
  args.m = c.shape()[0], args.n = c.shape()[1], args.k = a.shape()[transpose_a ? 0 : 1];
  args.a = a.data(), args.lda = a.shape()[1], args.transpose_a = transpose_a;
  args.b = b.data(), args.ldb = b.shape()[1], args.transpose_b = transpose_b;
  args.c = c.data(), args.ldc = c.shape()[1];
  a.device()->call(&Backend::gemm, args);
}

// The gradients of the six parameters, in their order, without a graph.
std::vector<Tensor> gradients_by_hand(const Setting& s) {
  NoGrad no_grad;
  Device& device = *s.device;
  const DType dtype = s.x.dtype();
  const auto like = [&](const Shape& shape) { return Tensor::empty(s.device, shape, dtype); };
  const Tensor &w1 = s.parameters[0].tensor, &w2 = s.parameters[2].tensor, &w3 = s.parameters[4].tensor;
  const Tensor &b1 = s.parameters[1].tensor, &b2 = s.parameters[3].tensor, &b3 = s.parameters[5].tensor;
  std::vector<Tensor> gradients;
  for (const NamedTensor& parameter : s.parameters) gradients.push_back(like(parameter.tensor.shape()));

  // Forward, keeping what the backward pass will need: each layer's input, and the probabilities.
  const Tensor h1 = linear(s.x, w1, b1, Activation::relu);
  const Tensor h2 = linear(h1, w2, b2, Activation::relu);
  const Tensor z3 = linear(h2, w3, b3);
  const Tensor p = softmax(z3);

  const Tensor dz3 = like({kRows, kClasses});
  device.call(&Backend::cross_entropy_backward,
              CrossEntropyBackwardArgs{dtype, kRows, kClasses, p.data(), s.labels.data<int32_t>(), device.one(dtype),
                                       dz3.data(), 0, 0});
  product(dz3, true, h2, false, gradients[4]);  // dW3 = dz3^T h2
  device.call(&Backend::bias_backward, BiasBackwardArgs{dtype, kRows, kClasses, dz3.data(), gradients[5].data(), 0});

  const Tensor dh2 = like({kRows, 32}), dz2 = like({kRows, 32});
  product(dz3, false, w3, false, dh2);  // dh2 = dz3 W3
  device.call(&Backend::bias_relu_backward,
              BiasReluBackwardArgs{dtype, kRows, 32, dh2.data(), h2.data(), dz2.data(), gradients[3].data(), 0});
  product(dz2, true, h1, false, gradients[2]);  // dW2 = dz2^T h1

  const Tensor dh1 = like({kRows, 32}), dz1 = like({kRows, 32});
  product(dz2, false, w2, false, dh1);  // dh1 = dz2 W2
  device.call(&Backend::bias_relu_backward,
              BiasReluBackwardArgs{dtype, kRows, 32, dh1.data(), h1.data(), dz1.data(), gradients[1].data(), 0});
  product(dz1, true, s.x, false, gradients[0]);  // dW1 = dz1^T x
  return gradients;
}

Tensor loss_of(const Setting& s) {
  return cross_entropy(s.network->forward(s.x), s.labels);
}

// The largest difference of two gradients, relative to the largest value.
double relative_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> left = values_of(a), right = values_of(b);
  double largest = 0, difference = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    largest = std::max(largest, std::abs(right[i]));
    difference = std::max(difference, std::abs(left[i] - right[i]));
  }
  return difference / largest;
}

// (loss(w + h) - loss(w - h)) / 2h for one element of a parameter, in double.
double central_difference(const Setting& s, Tensor parameter, size_t element) {
  NoGrad no_grad;
  constexpr double h = 1e-6;
  const std::vector<double> values = parameter.to_host<double>();
  const auto loss_at = [&](double value) {
    std::vector<double> moved = values;
    moved[element] = value;
    parameter.set<double>(moved);
    return loss_of(s).item();
  };
  const double above = loss_at(values[element] + h), below = loss_at(values[element] - h);
  parameter.set<double>(values);
  return (above - below) / (2 * h);
}

}  // namespace

int main() {
  const Setting exact = set_up("reference", DType::f64);
  const Setting vanilla = set_up("vanilla", DType::f32), simd = set_up("simd", DType::f32);
  for (const Setting* s : {&exact, &vanilla, &simd}) {
    const Tensor loss = loss_of(*s);
    backward(loss);
    std::printf("loss %.5f  %s, %s\n", loss.item(), s->device->label().c_str(), name_of(s->x.dtype()));
  }

  const std::vector<Tensor> by_hand = gradients_by_hand(exact), vanilla_by_hand = gradients_by_hand(vanilla);
  std::printf("\n%-11s %-9s | %9s %9s | %9s %9s | %11s\n", "", "", "reference", "vanilla", "vanilla", "simd",
              "differences");
  std::printf("%-11s %-9s | %19s | %19s | %11s\n", "gradient of", "", "hand - backward()", "- reference",
              "- reference");
  double hand = 0, single = 0, numeric = 0;
  for (size_t i = 0; i < exact.parameters.size(); ++i) {
    const Tensor& parameter = exact.parameters[i].tensor;
    const Tensor gradient = parameter.grad();
    const std::vector<double> values = values_of(gradient);
    const auto steeper = [](double a, double b) { return std::abs(a) < std::abs(b); };
    const auto steepest = static_cast<size_t>(std::max_element(values.begin(), values.end(), steeper) - values.begin());
    const double reference_hand = relative_difference(by_hand[i], gradient);
    const double vanilla_hand = relative_difference(vanilla_by_hand[i], vanilla.parameters[i].tensor.grad());
    const double vanilla_error = relative_difference(vanilla.parameters[i].tensor.grad(), gradient);
    const double simd_error = relative_difference(simd.parameters[i].tensor.grad(), gradient);
    const double numeric_error = std::abs(central_difference(exact, parameter, steepest) / values[steepest] - 1);
    std::printf("%-11s %-9s | %9.1g %9.1g | %9.0e %9.0e | %11.0e\n", exact.parameters[i].name.c_str(),
                gradient.shape().text().c_str(), reference_hand, vanilla_hand, vanilla_error, simd_error,
                numeric_error);
    hand = std::max({hand, reference_hand, vanilla_hand});
    single = std::max({single, vanilla_error, simd_error});
    numeric = std::max(numeric, numeric_error);
  }
  std::printf("\nby hand and by backward(): %s\n", hand == 0 ? "the same bits" : "not the same");
  std::printf("float from double: %s\n", single < 1e-5 ? "below 1e-5" : "1e-5 or more");
  std::printf("differences from double: %s\n", numeric < 1e-5 ? "below 1e-5" : "1e-5 or more");
}
