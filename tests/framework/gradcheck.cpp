#include "tests/framework/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "framework/autograd.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "tests/framework/support.h"
#include "tests/sweep.h"

namespace cairn::test {
namespace {

constexpr double kTolerance = 1e-6;
// Differences over h and 2h, extrapolated: the error is h^4 times the fifth derivative, and the rounding 1e-16 / h.
constexpr double kStep = 1e-4;
// Where the two differ by more than a smooth function's h^2 could explain, there is a corner near the point. A corner
// at the point itself looks the same at every distance, and shows as a jump between the slopes to the left and to the
// right.
constexpr double kKink = 1e-5;
constexpr double kJump = 1e-2;
constexpr uint64_t kWeightSeed = 4711;
// Under the sanitizers, which ask for small sweeps, some of a large input's elements go through every line as all do.
constexpr size_t kFew = 12, kSmallSweepStride = 5;

std::vector<double> evaluate(const Function& function, const std::vector<Tensor>& inputs) {
  NoGrad no_grad;
  return values_of(function(inputs));
}

// sum of weight * (upper - lower) / distance
double slope(const std::vector<double>& weight, const std::vector<double>& upper, const std::vector<double>& lower,
             double distance) {
  double total = 0;
  for (size_t i = 0; i < weight.size(); ++i) total += weight[i] * (upper[i] - lower[i]);
  return total / distance;
}

}  // namespace

Gradcheck gradcheck(const Function& function, std::vector<Tensor> inputs) {
  const size_t stride = testing::small_sweep() ? kSmallSweepStride : 1;
  Gradcheck result;
  const Tensor output = function(inputs);
  const std::vector<double> weight = random_values(output.count(), kWeightSeed, 0.5, 1.5);
  backward(sum(multiply(output, tensor_of(output.device(), output.shape(), output.dtype(), weight))));

  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor& input = inputs[i];
    const std::string which = "input " + std::to_string(i);
    const Tensor gradient = input.grad();
    if (gradient.defined() != input.requires_grad()) {
      result.fault = which + (gradient.defined() ? " got a gradient and requires none" : " got no gradient");
      return result;
    }
    if (!gradient.defined()) continue;
    const std::vector<double> analytic = values_of(gradient);
    input.clear_grad();
    double largest = 0;
    for (const double value : analytic) largest = std::max(largest, std::abs(value));

    std::vector<double> values = input.to_host<double>();
    const std::vector<double> centre = evaluate(function, inputs);
    for (size_t e = 0; e<values.size(); e += values.size()> kFew ? stride : 1) {
      const double start = values[e];
      const auto at = [&](double offset) {
        values[e] = start + offset;
        input.set<double>(values);
        return evaluate(function, inputs);
      };
      const std::vector<double> upper = at(kStep), lower = at(-kStep);
      const double narrow = slope(weight, upper, lower, 2 * kStep);
      const double jump = slope(weight, upper, centre, kStep) - slope(weight, centre, lower, kStep);
      const double wide = slope(weight, at(2 * kStep), at(-2 * kStep), 4 * kStep);
      values[e] = start;
      input.set<double>(values);
      const double unit = std::max(1.0, std::abs(narrow));
      if (std::abs(narrow - wide) > kKink * unit || std::abs(jump) > kJump * unit) {
        ++result.kinks;
        continue;
      }
      ++result.checked;
      const double numeric = (4 * narrow - wide) / 3;
      // Relative to the gradient; one that is next to nothing beside its neighbours is held to theirs.
      const double scale = std::max({std::abs(analytic[e]), std::abs(numeric), 1e-3 * largest, 1e-6});
      if (!(std::abs(analytic[e] - numeric) <= kTolerance * scale) && result.fault.empty())
        result.fault = which + ", element " + std::to_string(e) + ": backward gives " + std::to_string(analytic[e]) +
                       ", differences give " + std::to_string(numeric);
    }
  }
  return result;
}

}  // namespace cairn::test
