// The gated recurrent unit through time: values against `reference`, and that one's gradients against differences of
// its own values.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct GruCase {
  GruShape shape;
  bool initial = true;  // h0 is given
  bool last_only = false;
  bool biases = true;
  bool accumulate = false;
  bool all_gradients = true;  // or two of the six
  double slack = 0;           // of what the gradients are compared with
};

std::string gru_text(const GruCase& c) {
  return shape_text({{"batch", c.shape.batch},
                     {"time", c.shape.time},
                     {"inputs", c.shape.inputs},
                     {"hidden", c.shape.hidden},
                     {"h0", c.initial},
                     {"last", c.last_only},
                     {"biases", c.biases},
                     {"accumulate", c.accumulate},
                     {"all", c.all_gradients}});
}

std::vector<GruShape> gru_shapes() {
  std::vector<GruShape> all = {{1, 1, 1, 1},  {3, 2, 5, 31},  {5, 4, 1, 33},
                               {1, 3, 7, 17}, {3, 2, 5, 200}, {9, 3, 12, 8}};
  if (!small_sweep())
    for (GruShape larger : {GruShape{2, 3, 125, 100},
                            {64, 2, 16, 16},
                            {7, 20, 3, 7},
                            {33, 3, 9, 64},
                            {2, 2, 3, 129},
                            {2, 2, 33, 320},
                            {0, 3, 2, 2},
                            {2, 0, 3, 4},
                            {2, 3, 0, 4},
                            {2, 3, 4, 0}})
      all.push_back(larger);
  return all;
}

// Every choice at each of its values with every other's, in eight cases.
std::vector<GruCase> gru_cases() {
  std::vector<GruCase> all;
  for (const GruShape& shape : gru_shapes())
    for (int turn = 0; turn < 8; ++turn)
      all.push_back({.shape = shape,
                     .initial = turn % 2 == 1,
                     .last_only = turn / 2 % 2 == 1,
                     .biases = turn % 3 != 1,
                     .accumulate = turn / 4 == 1,
                     .all_gradients = turn % 4 != 2});
  return all;
}

// The arrays' values. The recurrent weights are so small that an error in the state does not grow from step to step.
struct GruValues {
  Values x, h0, weight_ih, weight_hh, bias_ih, bias_hh, dy;
  explicit GruValues(const GruCase& c) {
    const int64_t batch = c.shape.batch, time = c.shape.time, inputs = c.shape.inputs, hidden = c.shape.hidden;
    const double in_scale = 3 / std::sqrt(std::max(1.0, static_cast<double>(inputs)));
    const double recurrent = 1 / std::max(1.0, static_cast<double>(hidden));
    x = reals(batch * time * inputs, 1);
    h0 = reals(batch * hidden, 2);
    weight_ih = reals(3 * hidden * inputs, 3, -in_scale, in_scale);
    weight_hh = reals(3 * hidden * hidden, 4, -recurrent, recurrent);
    bias_ih = reals(3 * hidden, 5);
    bias_hh = reals(3 * hidden, 6);
    dy = reals(batch * (c.last_only ? 1 : time) * hidden, 8);
  }
};

// How far a state may be off: in each step the sums under the gates, a dozen roundings around them, and what the step
// before was off, which counts no more than once.
double state_error(const GruCase& c, DType real) {
  const int64_t time = c.shape.time, inputs = c.shape.inputs, hidden = c.shape.hidden;
  const double magnitude = 3 * std::sqrt(static_cast<double>(inputs)) + 3;
  return static_cast<double>(time) * (2 * sum_bound(inputs + hidden + 2, magnitude, real) + 12 * unit(real));
}

GruForwardArgs place_gru(Call& call, const GruCase& c, const GruValues& v, bool training) {
  const int64_t batch = c.shape.batch, time = c.shape.time, inputs = c.shape.inputs, hidden = c.shape.hidden;
  const auto optional = [&](bool there, const char* name, const Values& values) {
    return there ? call.input(name, static_cast<int64_t>(values.size()), values) : nullptr;
  };
  return {.dtype = call.real(),
          .shape = c.shape,
          .x = call.input("x", {batch * time, inputs}, v.x),
          .h0 = optional(c.initial, "h0", v.h0),
          .weight_ih = call.input("weight_ih", {3 * hidden, inputs}, v.weight_ih),
          .weight_hh = call.input("weight_hh", {3 * hidden, hidden}, v.weight_hh),
          .bias_ih = optional(c.biases, "bias_ih", v.bias_ih),
          .bias_hh = optional(c.biases, "bias_hh", v.bias_hh),
          .y = call.output("y", {batch * (c.last_only ? 1 : time), hidden}, {.absolute = state_error(c, call.real())}),
          .last_only = c.last_only,
          .reserve = training ? call.output("reserve", call.gru_reserve(c.shape), {.absolute = kInfinity}) : nullptr};
}

// A gradient as a destination: each may start from something.
struct Destinations {
  Call& call;
  const GruCase& c;

  void* operator()(const char* name, Layout layout, double error) const {
    const Values initial = c.accumulate ? reals(layout.count(), 9) : Values{};
    const double addition = c.accumulate ? 2 * error + 2 * unit(call.real()) : 0;
    return call.output(name, layout, {.absolute = error + addition + c.slack}, initial);
  }
};

// `terms` products of a gate's gradient and of something up to `largest`. A gate's gradient is no larger than that of
// its state, which dy adds to in every step; it is off by what the state was and by the sums through time.
double gru_gradient_error(const GruCase& c, DType real, int64_t terms, double largest) {
  const auto steps = static_cast<double>(c.shape.time);
  const double state_gradient = c.last_only ? 1 : steps, count = static_cast<double>(terms) * largest * state_gradient;
  return 2 * sum_bound(terms + 3 * c.shape.hidden, count + state_gradient, real) +
         std::sqrt(static_cast<double>(terms + 1)) * largest * state_gradient * state_error(c, real);
}

GruBackwardArgs place_gru_gradients(Call& call, const GruCase& c, const GruValues& v, const GruForwardArgs& forward) {
  const int64_t batch = c.shape.batch, time = c.shape.time, inputs = c.shape.inputs, hidden = c.shape.hidden;
  const DType real = call.real();
  const int64_t steps = batch * time;
  const Destinations place{call, c};
  GruBackwardArgs args{.dtype = real,
                       .shape = c.shape,
                       .x = forward.x,
                       .h0 = forward.h0,
                       .weight_ih = forward.weight_ih,
                       .weight_hh = forward.weight_hh,
                       .bias_ih = forward.bias_ih,
                       .bias_hh = forward.bias_hh,
                       .dy = call.input("dy", static_cast<int64_t>(v.dy.size()), v.dy),
                       .last_only = c.last_only,
                       .reserve = forward.reserve};
  args.accumulate_dx = args.accumulate_dh0 = args.accumulate_dweight_ih = args.accumulate_dweight_hh =
      args.accumulate_dbias_ih = args.accumulate_dbias_hh = c.accumulate;
  const double in_scale = 3 / std::sqrt(std::max(1.0, static_cast<double>(inputs)));
  args.dweight_ih = place("dweight_ih", {3 * hidden, inputs}, gru_gradient_error(c, real, steps, 1));
  args.dbias_hh = place("dbias_hh", 3 * hidden, gru_gradient_error(c, real, steps, 1));
  if (!c.all_gradients) return args;
  args.dx = place("dx", {steps, inputs}, gru_gradient_error(c, real, 3 * hidden, in_scale));
  args.dh0 =
      place("dh0", {batch, hidden}, gru_gradient_error(c, real, 3 * hidden, 1.0 / static_cast<double>(hidden + 1)));
  args.dweight_hh = place("dweight_hh", {3 * hidden, hidden}, gru_gradient_error(c, real, steps, 1));
  args.dbias_ih = place("dbias_ih", 3 * hidden, gru_gradient_error(c, real, steps, 1));
  return args;
}

constexpr double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

TEST_CASE("gru_forward") {
  for (DType real : kReals) {
    for (const GruCase& c : gru_cases()) {
      for (bool training : {false, true}) {
        const auto run = [&](Call& call) {
          const GruForwardArgs args = place_gru(call, c, GruValues(c), training);
          return call.invoke(&Backend::gru_forward, args);
        };
        check({.primitive = "gru_forward",
               .shape = gru_text(c) + (training ? " training" : ""),
               .real = real,
               .offset = c.shape.hidden % 2,
               .run = run});
      }
    }
  }
}

TEST_CASE("gru_backward") {
  for (DType real : kReals) {
    for (const GruCase& c : gru_cases()) {
      const auto run = [&](Call& call) {
        const GruValues values(c);
        const GruForwardArgs forward = place_gru(call, c, values, true);
        const GruBackwardArgs backward = place_gru_gradients(call, c, values, forward);
        const Status status = call.invoke(&Backend::gru_forward, forward);
        return status != 0 ? status : call.invoke(&Backend::gru_backward, backward);
      };
      check(
          {.primitive = "gru_backward", .shape = gru_text(c), .real = real, .offset = c.shape.hidden % 2, .run = run});
    }
  }
}

// That the persistent rung needs clusters of blocks shows on a GPU without them alone.
TEST_CASE("gru: a rung that is not there is refused, and by the persistent one a unit that no cluster has room for") {
  GruCase usual{.shape = {1, 1, 1, 3}}, large{.shape = {1, 1, 1, 1200}};
  for (const bool backward : {false, true}) {
    const std::string primitive = backward ? "gru_backward" : "gru_forward";
    for (const Subject& subject : subjects(primitive.c_str())) {
      if (subject.kernels.empty()) continue;
      const auto refused = [&](const std::string& kernels, const GruCase& c) {
        return refusal(subject, kernels, [&](Call& call) {
          const GruValues values(c);
          const GruForwardArgs forward = place_gru(call, c, values, backward);
          if (!backward) return call.invoke(&Backend::gru_forward, forward);
          const GruBackwardArgs args = place_gru_gradients(call, c, values, forward);
          const Status status = call.invoke(&Backend::gru_forward, forward);
          return status != 0 ? status : call.invoke(&Backend::gru_backward, args);
        });
      };
      CHECK(refused(subject.kernels, usual).empty());
      CHECK(refused(primitive + "=999", usual).find("999") != std::string::npos);
      const std::string text = refused(subject.kernels, large);
      if (subject.kernels == primitive + "=2")
        CHECK(text.find("those of 1200 hidden units do not fit, rung 1 takes any size") != std::string::npos);
      else
        CHECK(text.empty());
    }
  }
}

// One unit, two steps: r, z and n written out.
TEST_CASE("gru_forward by hand") {
  const Values x = {0.5, -1}, weight_ih = {1, 2, 3}, weight_hh = {-1, 0.5, 2}, bias_ih = {0.25, -0.5, 1},
               bias_hh = {0.5, 0.75, -0.25};
  Values states;
  for (double h = 0.75, step = 0; step < 2; ++step) {
    const double in = x[static_cast<size_t>(step)];
    const double r = sigmoid(1 * in + 0.25 + -1 * h + 0.5), z = sigmoid(2 * in - 0.5 + 0.5 * h + 0.75);
    const double n = std::tanh(3 * in + 1 + r * (2 * h - 0.25));
    states.push_back(h = (1 - z) * n + z * h);
  }
  for (DType real : kReals) {
    for (bool last_only : {false, true}) {
      const auto run = [&](Call& call) {
        GruForwardArgs args{.dtype = call.real(), .shape = {1, 2, 1, 1}};
        args.x = call.input("x", 2, x);
        args.h0 = call.input("h0", 1, {0.75});
        args.weight_ih = call.input("weight_ih", 3, weight_ih);
        args.weight_hh = call.input("weight_hh", 3, weight_hh);
        args.bias_ih = call.input("bias_ih", 3, bias_ih);
        args.bias_hh = call.input("bias_hh", 3, bias_hh);
        args.y = call.output("y", last_only ? 1 : 2, {.absolute = 0x1p-20});
        args.last_only = last_only;
        return call.invoke(&Backend::gru_forward, args);
      };
      check({.primitive = "gru_forward",
             .shape = "by hand",
             .real = real,
             .run = run,
             .expected = {last_only ? Values{states[1]} : states}});
    }
  }
}

// The weighted sum of y, whose gradient dy is, changes with each input as gru_backward says.
TEST_CASE("gru_backward is the derivative of gru_forward") {
  for (bool last_only : {false, true}) {
    const GruCase c{.shape = {2, 3, 2, 3}, .last_only = last_only, .slack = 0x1p-30};
    const GruValues at(c);
    const auto value = [&](const GruValues& values) {
      const auto run = [&](Call& call) {
        return call.invoke(&Backend::gru_forward, place_gru(call, c, values, false));
      };
      const Values y = expected_of({.primitive = "gru_forward", .shape = "", .run = run})[0];
      double total = 0;
      for (size_t i = 0; i < y.size(); ++i) total += y[i] * values.dy[i];
      return total;
    };
    const auto differences = [&](Values GruValues::*array) {
      constexpr double kStep = 0x1p-17;  // truncation 6e-11, rounding 1e-11
      Values result;
      for (size_t i = 0; i < (at.*array).size(); ++i) {
        GruValues above = at, below = at;
        (above.*array)[i] += kStep;
        (below.*array)[i] -= kStep;
        result.push_back((value(above) - value(below)) / (2 * kStep));
      }
      return result;
    };
    const auto run = [&](Call& call) {
      const GruForwardArgs forward = place_gru(call, c, at, true);
      const GruBackwardArgs args = place_gru_gradients(call, c, at, forward);
      const Status status = call.invoke(&Backend::gru_forward, forward);
      return status != 0 ? status : call.invoke(&Backend::gru_backward, args);
    };
    const auto y = [&](Call& call) { return call.invoke(&Backend::gru_forward, place_gru(call, c, at, true)); };
    std::vector<Values> expected = expected_of({.primitive = "gru_forward", .shape = "", .run = y});
    for (Values GruValues::*array : {&GruValues::weight_ih, &GruValues::bias_hh, &GruValues::x, &GruValues::h0,
                                     &GruValues::weight_hh, &GruValues::bias_ih})
      expected.push_back(differences(array));
    for (DType real : kReals)
      check({.primitive = "gru_backward", .shape = "by differences", .real = real, .run = run, .expected = expected});
  }
}

}  // namespace cairn::test
