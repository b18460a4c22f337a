// Walkthrough 4: the gradient of cross-entropy four ways: p - y by hand, by the framework, by differences, and through
// softmax alone.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/autograd.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"

using namespace cairn;
using walkthrough::show;
using walkthrough::values_of;

namespace {

const std::vector<double> kLogits = {1, 2, 3, 1, 1, 1};
const std::vector<int32_t> kLabels = {2, 0};
constexpr int64_t kRows = 2, kColumns = 3;

Tensor logits_of(const std::shared_ptr<Device>& device, DType dtype, const std::vector<double>& values) {
  const std::vector<float> narrow(values.begin(), values.end());
  if (dtype == DType::f32) return Tensor::from_host<float>(device, {kRows, kColumns}, narrow);
  return Tensor::from_host<double>(device, {kRows, kColumns}, values);
}

double loss_at(const std::shared_ptr<Device>& device, DType dtype, const std::vector<double>& logits) {
  const Tensor labels = Tensor::from_host<int32_t>(device, {kRows}, kLabels);
  return cross_entropy(logits_of(device, dtype, logits), labels).item();
}

// (loss(x + h) - loss(x - h)) / 2h, for one logit after the other.
std::vector<double> central_differences(const std::shared_ptr<Device>& device, DType dtype, double h) {
  std::vector<double> result;
  for (size_t i = 0; i < kLogits.size(); ++i) {
    std::vector<double> above = kLogits, below = kLogits;
    above[i] += h;
    below[i] -= h;
    result.push_back((loss_at(device, dtype, above) - loss_at(device, dtype, below)) / (2 * h));
  }
  return result;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

int main() {
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});
  const Tensor labels = Tensor::from_host<int32_t>(device, {kRows}, kLabels);
  Tensor x = logits_of(device, DType::f64, kLogits).set_requires_grad(true);

  std::printf("-- the framework\n");
  const Tensor p = softmax(x.detach());
  const Tensor loss = cross_entropy(x, labels);
  backward(loss);
  const std::vector<double> gradient = values_of(x.grad());
  show("x", x);
  show("p", p);
  std::printf("loss     %.6f\n", loss.item());
  show("dx", x.grad());

  std::printf("-- by hand: (p - y) / rows\n");
  std::vector<double> by_hand = values_of(p);
  for (int64_t row = 0; row < kRows; ++row) by_hand[row * kColumns + kLabels[row]] -= 1;
  for (double& value : by_hand) value /= kRows;
  std::printf("largest difference from dx: %.0e\n", largest_difference(by_hand, gradient));

  std::printf("-- through softmax alone: its gradient for dp = -1 / (rows p) at the label, 0 elsewhere\n");
  std::vector<double> dp(kLogits.size(), 0.0);
  for (int64_t row = 0; row < kRows; ++row) {
    const int64_t label = row * kColumns + kLabels[row];
    dp[label] = -1 / (kRows * values_of(p)[label]);
  }
  x.clear_grad();
  backward(sum(multiply(softmax(x), logits_of(device, DType::f64, dp))));
  show("dx", x.grad());
  std::printf("close to the first: %s\n", largest_difference(values_of(x.grad()), gradient) < 1e-15 ? "yes" : "no");

  std::printf("-- by central differences: largest error for a step h\n");
  std::printf("%8s %14s %14s\n", "h", "double", "float");
  for (int power = 1; power <= 11; power += 2) {
    const double h = std::pow(10.0, -power);
    std::printf("%8.0e %14.1e %14.1e\n", h, largest_difference(central_differences(device, DType::f64, h), gradient),
                largest_difference(central_differences(device, DType::f32, h), gradient));
  }
}
