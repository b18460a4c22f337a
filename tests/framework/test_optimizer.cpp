// Optimizers against the same rules written out by hand in double, on a small problem; their state; what they refuse.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/optim/optimizer.h"
#include "framework/optim/schedule.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

constexpr int kSteps = 20;

// Two parameters p with the loss 0.5 * sum of a * p^2: the gradient is a * p.
const std::vector<std::vector<double>> kStart = {{1, -2, 3}, {0.5, 4}};
const std::vector<std::vector<double>> kCurvature = {{0.5, 1, 2}, {3, 0.25}};

std::vector<float> rates() {
  const Schedule schedule = parse_schedule("step:gamma=0.5,size=6");
  std::vector<float> values;
  for (int t = 0; t < kSteps; ++t) values.push_back(static_cast<float>(learning_rate_at(schedule, 0.1, t)));
  return values;
}

struct Problem {
  Problem(const std::shared_ptr<Device>& device, DType dtype) : clock(device, kSteps) {
    for (size_t i = 0; i < kStart.size(); ++i) {
      const Shape shape{static_cast<int64_t>(kStart[i].size())};
      parameters.push_back({"p" + std::to_string(i), tensor_of(device, shape, dtype, kStart[i])});
      parameters.back().tensor.set_requires_grad(true);
      curvature.push_back(tensor_of(device, shape, dtype, kCurvature[i]));
    }
    clock.set_rates(rates());
  }

  std::vector<std::vector<double>> train(Optimizer& optimizer) {
    for (int t = 0; t < kSteps; ++t) {
      clock.set_step(t);
      optimizer.clear_grads();
      Tensor loss;
      for (size_t i = 0; i < parameters.size(); ++i) {
        const Tensor& p = parameters[i].tensor;
        const Tensor part = sum(scale(multiply(curvature[i], multiply(p, p)), 0.5));
        loss = loss.defined() ? add(loss, part) : part;
      }
      backward(loss);
      optimizer.step(clock);
    }
    std::vector<std::vector<double>> values;
    for (const NamedTensor& parameter : parameters) values.push_back(values_of(parameter.tensor));
    return values;
  }

  std::vector<NamedTensor> parameters;
  std::vector<Tensor> curvature;
  StepClock clock;
};

// One scalar's way: update(p, g, rate, t) returns the new p. A fresh one for each scalar.
using Rule = std::function<double(double p, double g, double rate, int t)>;

std::vector<std::vector<double>> by_hand(const std::function<Rule()>& make_rule) {
  std::vector<std::vector<double>> values = kStart;
  const std::vector<float> rate = rates();
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t e = 0; e < values[i].size(); ++e) {
      const Rule rule = make_rule();
      for (int t = 0; t < kSteps; ++t)
        values[i][e] = rule(values[i][e], kCurvature[i][e] * values[i][e], rate[static_cast<size_t>(t)], t);
    }
  return values;
}

void check_updates(const std::function<std::unique_ptr<Optimizer>(std::vector<NamedTensor>)>& make,
                   const std::function<Rule()>& make_rule) {
  const std::vector<std::vector<double>> expected = by_hand(make_rule);
  const auto compare = [&](const std::shared_ptr<Device>& device, DType dtype, double tolerance) {
    CAPTURE(device->label());
    Problem problem(device, dtype);
    const auto optimizer = make(problem.parameters);
    const auto actual = problem.train(*optimizer);
    for (size_t i = 0; i < expected.size(); ++i) CHECK(relative_error(actual[i], expected[i]) <= tolerance);
  };
  compare(reference(), DType::f64, 1e-12);
  for (const auto& device : devices()) compare(device, DType::f32, 1e-5);
}

}  // namespace

TEST_CASE("plain SGD") {
  check_updates([](auto parameters) { return std::make_unique<Sgd>(parameters); },
                [] { return [](double p, double g, double rate, int) { return p - rate * g; }; });
}

TEST_CASE("SGD with weight decay") {
  check_updates([](auto parameters) { return std::make_unique<Sgd>(parameters, 0, 0.1); },
                [] { return [](double p, double g, double rate, int) { return p - rate * (g + 0.1 * p); }; });
}

TEST_CASE("SGD with momentum and weight decay") {
  check_updates([](auto parameters) { return std::make_unique<Sgd>(parameters, 0.9, 0.01); },
                [] {
                  return [v = 0.0](double p, double g, double rate, int) mutable {
                    v = 0.9 * v + g + 0.01 * p;
                    return p - rate * v;
                  };
                });
}

TEST_CASE("momentum starts afresh at step 0") {
  Problem problem(reference(), DType::f64);
  Sgd optimizer(problem.parameters, 0.9);
  const auto first = problem.train(optimizer);
  for (size_t i = 0; i < kStart.size(); ++i) problem.parameters[i].tensor.set<double>(kStart[i]);
  CHECK(problem.train(optimizer) == first);
}

TEST_CASE("Adam, and Adam with weight decay in the gradient") {
  for (const double decay : {0.0, 0.1})
    check_updates(
        [=](auto parameters) {
          return std::make_unique<Adam>(parameters, Adam::Options{.beta1 = 0.8, .beta2 = 0.95, .weight_decay = decay});
        },
        [=] {
          return [=, m = 0.0, v = 0.0](double p, double g, double rate, int t) mutable {
            g += decay * p;
            m = 0.8 * m + 0.2 * g;
            v = 0.95 * v + 0.05 * g * g;
            const double unbiased_m = m / (1 - std::pow(0.8, t + 1)), unbiased_v = v / (1 - std::pow(0.95, t + 1));
            return p - rate * unbiased_m / (std::sqrt(unbiased_v) + 1e-8);
          };
        });
}

TEST_CASE("AdamW") {
  check_updates(
      [](auto parameters) {
        return std::make_unique<Adam>(parameters,
                                      Adam::Options{.epsilon = 1e-3, .weight_decay = 0.2, .decoupled = true});
      },
      [] {
        return [m = 0.0, v = 0.0](double p, double g, double rate, int t) mutable {
          p *= 1 - rate * 0.2;
          m = 0.9 * m + 0.1 * g;
          v = 0.999 * v + 0.001 * g * g;
          const double unbiased_m = m / (1 - std::pow(0.9, t + 1)), unbiased_v = v / (1 - std::pow(0.999, t + 1));
          return p - rate * unbiased_m / (std::sqrt(unbiased_v) + 1e-3);
        };
      });
}

TEST_CASE("optimizer state is named after the parameters") {
  const Problem problem(reference(), DType::f32);
  const auto names = [](const Optimizer& optimizer) {
    std::vector<std::string> all;
    for (const NamedTensor& each : optimizer.state()) all.push_back(each.name);
    return all;
  };
  CHECK(names(Sgd(problem.parameters)).empty());
  CHECK(names(Sgd(problem.parameters, 0.9)) == std::vector<std::string>{"p0.momentum", "p1.momentum"});
  CHECK(names(Adam(problem.parameters, {})) ==
        std::vector<std::string>{"p0.moment1", "p1.moment1", "p0.moment2", "p1.moment2"});
}

TEST_CASE("the clock keeps its step and wraps its rates") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    StepClock clock(device, 3);
    CHECK(clock.read_step() == 0);
    clock.set_rates(std::vector<float>{1, 2, 4});
    Tensor p = Tensor::zeros(device, {});
    p.set_requires_grad(true);
    backward(sum(p));  // a gradient of 1, kept
    Sgd optimizer({{"p", p}});
    double expected = 0;
    for (const int64_t step : std::vector<int64_t>{0, 1, 2, 3, 4, 3'000'000'002}) {
      clock.set_step(step);
      CHECK(clock.read_step() == step);
      optimizer.step(clock);
      expected -= std::vector<double>{1, 2, 4}[static_cast<size_t>(step % 3)];
      CHECK(p.item() == expected);
    }
    CHECK(clock.read_step() == 3'000'000'002);  // the tick is the trainer's
  }
}

TEST_CASE("each parameter has the weight decay that the rule gives it") {
  // By hand a parameter knows itself by its curvature, which is a gradient's ratio to it.
  const auto decay_of = [](double p, double g) { return g == 3 * p || g == 0.25 * p ? 0.0 : 0.1; };
  const auto rule = [](const NamedTensor& parameter) { return parameter.name == "p1" ? 0.0 : 0.1; };
  check_updates(
      [&](auto parameters) {
        auto optimizer = std::make_unique<Sgd>(parameters, 0, 0.7);
        optimizer->set_weight_decay(rule);
        return optimizer;
      },
      [&] { return [=](double p, double g, double rate, int) { return p - rate * (g + decay_of(p, g) * p); }; });
  check_updates(
      [&](auto parameters) {
        auto optimizer = std::make_unique<Adam>(parameters, Adam::Options{.decoupled = true});
        optimizer->set_weight_decay(rule);
        return optimizer;
      },
      [&] {
        return [=, m = 0.0, v = 0.0](double p, double g, double rate, int t) mutable {
          p -= rate * decay_of(p, g) * p;
          m = 0.9 * m + 0.1 * g;
          v = 0.999 * v + 0.001 * g * g;
          return p - rate / (1 - std::pow(0.9, t + 1)) * m / (std::sqrt(v / (1 - std::pow(0.999, t + 1))) + 1e-8);
        };
      });
}

TEST_CASE("gradients are clipped by their norm together") {
  const auto clipped = [](const std::shared_ptr<Device>& device, double max_norm) {
    Problem problem(device, DType::f32);
    Sgd optimizer(problem.parameters);
    optimizer.set_max_norm(max_norm);
    return problem.train(optimizer);
  };
  // The same by hand: both parameters at once.
  std::vector<std::vector<double>> expected = kStart;
  for (const float rate : rates()) {
    double squares = 0;
    for (size_t i = 0; i < expected.size(); ++i)
      for (size_t e = 0; e < expected[i].size(); ++e) squares += std::pow(kCurvature[i][e] * expected[i][e], 2);
    const double factor = std::min(1.0, 2 / (std::sqrt(squares) + 1e-6));
    for (size_t i = 0; i < expected.size(); ++i)
      for (size_t e = 0; e < expected[i].size(); ++e)
        expected[i][e] -= rate * factor * kCurvature[i][e] * expected[i][e];
  }
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const auto actual = clipped(device, 2);
    for (size_t i = 0; i < expected.size(); ++i) CHECK(relative_error(actual[i], expected[i]) <= 1e-5);
    CHECK(clipped(device, 1e6) == clipped(device, 0));  // a bound that none reaches changes no bit
    CHECK(clipped(device, 0) != actual);
  }
}

TEST_CASE("optimizers and clocks refuse what they cannot work on") {
  Tensor p = Tensor::zeros(reference(), {2}), wide = Tensor::zeros(reference(), {2}, DType::f64);
  p.set_requires_grad(true);
  CHECK(message_of<UsageError>([] { Sgd optimizer({}); }) == "an optimizer needs at least one parameter");
  CHECK(message_of<ShapeError>([&] {
          Sgd optimizer({{"p", p}, {"wide", wide}});
        }) == "optimizer: parameters must have one dtype and live on one device; p and wide do not");
  Sgd optimizer({{"fc.weight", p}});
  CHECK(message_of<UsageError>([&] { optimizer.set_max_norm(-1); }) ==
        "optimizer: the largest norm of the gradients must be more than 0, or 0 for none, not -1.000000");
  CHECK(message_of<UsageError>([&] { optimizer.set_weight_decay([](const NamedTensor&) { return -0.5; }); }) ==
        "optimizer: the weight decay of fc.weight must be 0 or more, not -0.500000");
  StepClock clock(reference(), 1);
  CHECK(message_of<Error>([&] { optimizer.step(clock); }) ==
        "optimizer: parameter fc.weight has no gradient; call backward() first");
  CHECK(message_of<UsageError>([] { StepClock none(reference(), 0); }) ==
        "a step clock needs room for at least one learning rate");
  CHECK(message_of<ShapeError>([&] { clock.set_rates(std::vector<float>(2)); }) ==
        "setting a tensor of f32[1] from 2 values of f32");
}

}  // namespace cairn::test
