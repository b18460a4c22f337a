// Walkthrough 8: a GRU of one unit, whose first step can be computed on paper. `steps`: three steps forward and
// backward through time, by hand. `gradients`: each parameter's gradient by hand, by backward() and by trying. `memory
// BIAS`: how much a state still means 1, 10 and 100 steps later, when z's bias is BIAS.
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "docs/walkthroughs/show.h"
#include "framework/autograd.h"
#include "framework/ops/loss.h"
#include "framework/ops/sequence.h"
#include "kernels/number.h"

using namespace cairn;
using walkthrough::values_of;

namespace {

// Of gates r, z, n: what multiplies the input, what multiplies the state, and their biases.
struct Unit {
  std::array<double, 3> w, u, b, c;
};
const Unit kUnit = {{0, -std::log(3.0), std::log(2.0)}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}};
const std::vector<double> kInputs = {1, 1, -1};

struct Step {
  double x, before;       // the state before
  double r, z, n, hn, h;  // hn: what r multiplies; h: the state after
  double dh, dr, dz, dn;  // gradients: of h, and of what each gate's function was taken of
};

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

std::vector<Step> forward_by_hand(const Unit& unit, const std::vector<double>& inputs) {
  std::vector<Step> steps;
  double h = 0;
  for (const double x : inputs) {
    Step step{.x = x, .before = h};
    step.r = sigmoid(unit.w[0] * x + unit.b[0] + unit.u[0] * h + unit.c[0]);
    step.z = sigmoid(unit.w[1] * x + unit.b[1] + unit.u[1] * h + unit.c[1]);
    step.hn = unit.u[2] * h + unit.c[2];
    step.n = std::tanh(unit.w[2] * x + unit.b[2] + step.r * step.hn);
    h = step.h = (1 - step.z) * step.n + step.z * h;
    steps.push_back(step);
  }
  return steps;
}

// The loss is the last state. Returns the gradients of the parameters; those of the steps stay in the steps.
Unit backward_by_hand(const Unit& unit, std::vector<Step>& steps) {
  Unit gradient{};
  double dh = 1;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    step->dh = dh;
    step->dn = dh * (1 - step->z) * (1 - step->n * step->n);
    step->dz = dh * (step->before - step->n) * step->z * (1 - step->z);
    step->dr = step->dn * step->hn * step->r * (1 - step->r);
    const std::array<double, 3> from_x = {step->dr, step->dz, step->dn};
    const std::array<double, 3> from_h = {step->dr, step->dz, step->dn * step->r};
    dh *= step->z;
    for (size_t gate = 0; gate < 3; ++gate) {
      gradient.w[gate] += from_x[gate] * step->x;
      gradient.b[gate] += from_x[gate];
      gradient.u[gate] += from_h[gate] * step->before;
      gradient.c[gate] += from_h[gate];
      dh += from_h[gate] * unit.u[gate];
    }
  }
  return gradient;
}

double last_state(const Unit& unit) {
  return forward_by_hand(unit, kInputs).back().h;
}

Tensor tensor(const std::shared_ptr<Device>& device, Shape shape, const std::vector<double>& values) {
  return Tensor::from_host<double>(device, shape, values);
}

GruWeights weights(const std::shared_ptr<Device>& device, const Unit& unit) {
  const auto three = [&](Shape shape, const std::array<double, 3>& values) {
    return tensor(device, shape, {values.begin(), values.end()}).set_requires_grad(true);
  };
  return {three({3, 1}, unit.w), three({3, 1}, unit.u), three({3}, unit.b), three({3}, unit.c)};
}

int show_steps() {
  std::vector<Step> steps = forward_by_hand(kUnit, kInputs);
  backward_by_hand(kUnit, steps);
  std::printf("-- forward\n t    x        r        z        n        h\n");
  for (size_t t = 0; t < steps.size(); ++t)
    std::printf("%2zu %4g %8.6f %8.6f %8.5f %8.6f\n", t + 1, steps[t].x, steps[t].r, steps[t].z, steps[t].n,
                steps[t].h);
  std::printf("-- backward\n t        dh         dr         dz         dn\n");
  for (size_t t = steps.size(); t-- > 0;)
    std::printf("%2zu %9.6f %10.6f %10.6f %10.6f\n", t + 1, steps[t].dh, steps[t].dr, steps[t].dz, steps[t].dn);
  return 0;
}

int show_gradients(const std::shared_ptr<Device>& device) {
  std::vector<Step> steps = forward_by_hand(kUnit, kInputs);
  const Unit by_hand = backward_by_hand(kUnit, steps);

  const GruWeights parameters = weights(device, kUnit);
  const Tensor h = gru(tensor(device, {1, 3, 1}, kInputs), {}, parameters);
  backward(sum(h));

  std::printf("          by hand  backward()   by trying\n");
  const struct {
    const char* name;
    std::array<double, 3> Unit::*values;
    const Tensor& parameter;
  } rows[] = {{"W_i", &Unit::w, parameters.weight_ih},
              {"W_h", &Unit::u, parameters.weight_hh},
              {"b_i", &Unit::b, parameters.bias_ih},
              {"b_h", &Unit::c, parameters.bias_hh}};
  constexpr double kDistance = 1e-5;
  for (const auto& row : rows) {
    const std::vector<double> framework = values_of(row.parameter.grad());
    for (size_t gate = 0; gate < 3; ++gate) {
      Unit more = kUnit, less = kUnit;
      (more.*row.values)[gate] += kDistance;
      (less.*row.values)[gate] -= kDistance;
      const double tried = (last_state(more) - last_state(less)) / (2 * kDistance);
      std::printf("%s%c %11.7f %11.7f %11.7f\n", row.name, "rzn"[gate], (by_hand.*row.values)[gate], framework[gate],
                  tried);
    }
  }
  return 0;
}

int show_memory(const std::shared_ptr<Device>& device, double bias) {
  Unit unit = kUnit;
  unit.b[1] = bias;
  unit.w[1] = 0;
  for (const int64_t steps : {1, 10, 100}) {
    const Tensor start = tensor(device, {1, 1}, {0}).set_requires_grad(true);
    const Tensor x = tensor(device, {1, steps, 1}, std::vector<double>(static_cast<size_t>(steps), 0));
    backward(sum(gru(x, start, weights(device, unit))));
    std::printf("%3d steps: %.3g\n", static_cast<int>(steps), values_of(start.grad())[0]);
  }
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::string what = count > 1 ? values[1] : "";
  double bias = 0;
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});
  if (what == "steps" && count == 2) return show_steps();
  if (what == "gradients" && count == 2) return show_gradients(device);
  if (what == "memory" && count == 3 && !read_number(values[2], bias)) return show_memory(device, bias);
  std::fprintf(stderr, "usage: walkthrough_gru steps | gradients | memory BIAS\n");
  return 2;
}
