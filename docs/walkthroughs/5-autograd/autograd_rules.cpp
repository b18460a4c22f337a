// Walkthrough 5: who keeps what for how long: accumulating and overwriting, releasing the graph, recording nothing.
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/autograd.h"
#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"

using namespace cairn;
using walkthrough::attempt;
using walkthrough::show;

int main() {
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});
  Tensor w = Tensor::from_host<float>(device, {3}, std::vector<float>{1, 2, 3}).set_requires_grad(true);

  std::printf("-- overwrite, accumulate, clear\n");
  std::printf("before: grad() is %s\n", w.grad().defined() ? "a tensor" : "no tensor");
  backward(sum(scale(w, 10.0)));
  show("grad", w.grad());
  const void* buffer = w.grad().data();
  backward(sum(scale(w, 10.0)));
  show("grad", w.grad());
  w.clear_grad();
  std::printf("cleared: grad() is %s\n", w.grad().defined() ? "a tensor" : "no tensor");
  backward(sum(scale(w, 10.0)));
  show("grad", w.grad());
  std::printf("in the same buffer: %s\n", w.grad().data() == buffer ? "yes" : "no");

  std::printf("-- a tensor used twice\n");
  w.clear_grad();
  backward(sum(multiply(w, w)));
  show("grad", w.grad());
  w.clear_grad();
  const Tensor u = scale(w, 1.0);
  backward(sum(add(multiply(u, u), scale(u, 100.0))));
  show("grad", w.grad());

  std::printf("-- what the graph keeps alive (bytes live)\n");
  const Tensor x = Tensor::zeros(device, {64, 784});
  Tensor weight = Tensor::zeros(device, {32, 784}).set_requires_grad(true);
  const auto live = [&](const char* when) { std::printf("%-26s %7zu\n", when, device->memory().live); };
  live("x and weight");
  {
    const Tensor loss = mean(relu(linear(x, weight)));
    live("and a graph");
    backward(loss);
    live("after backward()");
  }
  live("without the loss");

  std::printf("-- a graph is walked once\n");
  const Tensor loss = sum(scale(w, 2.0));
  backward(loss);
  attempt("backward again", [&] { backward(loss); });
  attempt("backward from three elements", [&] { backward(scale(w, 2.0)); });
  attempt("backward from a leaf", [&] { backward(Tensor::zeros(device, {}).set_requires_grad(true)); });
  {
    NoGrad no_grad;
    attempt("backward from what was not recorded", [&] { backward(sum(w)); });
  }
  attempt("backward from what was detached", [&] { backward(sum(w.detach())); });
}
