// sgd and adam against PyTorch's rules written out here, over several steps with changing learning rates. Not here:
// schedules.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

constexpr int kSteps = 4;
const Values kLearningRates = {0.5, 0.125, 0.0625};  // fewer than steps: the last step starts them over

// How the parameters of one launch are cut into tensors, empty ones and many small ones among them.
const std::vector<std::vector<int64_t>> kTensorSizes = {
    {}, {0}, {1}, {33, 0, 129, 1}, {64 * 17, 17, 10 * 17, 10}, {4097, 3}, std::vector<int64_t>(70, 5),
};

// What one element went through. Both rules work on each element alone.
struct Element {
  double parameter, state1, state2;
};

struct Update {
  const char* primitive;
  bool has_state1, has_state2;
  double initial_state1;  // nan where step 0 must not read it
  std::function<void(Element&, double gradient, int step, double learning_rate)> rule;
  std::function<Status(Call&, const OptimizerTensor*, int64_t count, const float* rates, const int64_t* step)> launch;
  std::string text;
};

const Values& parameters_of(int64_t count, size_t tensor) {
  return reals(count, 100 + static_cast<uint32_t>(tensor));
}
const Values& gradients_of(int64_t count, size_t tensor, int step) {
  return reals(count, 1000 + 10 * static_cast<uint32_t>(tensor) + static_cast<uint32_t>(step));
}

void check_update(const Update& update, const std::vector<int64_t>& sizes, DType real, int64_t offset) {
  // Each step rounds the parameter, at most 3 in magnitude, and the update, at most 2 * learning_rate, a few times.
  const Tolerance tolerance{.absolute = kSteps * 8 * unit(real)};
  std::vector<Values> expected = {{7}};
  for (size_t t = 0; t < sizes.size(); ++t) {
    Values parameter, state1, state2;
    for (size_t i = 0; i < static_cast<size_t>(sizes[t]); ++i) {
      Element element{parameters_of(sizes[t], t)[i], 0, 0};
      for (int step = 0; step < kSteps; ++step)
        update.rule(element, gradients_of(sizes[t], t, step)[i], step,
                    kLearningRates[static_cast<size_t>(step) % kLearningRates.size()]);
      parameter.push_back(element.parameter);
      state1.push_back(element.state1);
      state2.push_back(element.state2);
    }
    expected.push_back(parameter);
    if (update.has_state1) expected.push_back(state1);
    if (update.has_state2) expected.push_back(state2);
  }
  const auto run = [=](Call& call) {
    call.output("an array of nobody's", 1, {}, {7});  // so that a launch without tensors has something to leave alone
    std::vector<OptimizerTensor> tensors;
    for (size_t t = 0; t < sizes.size(); ++t) {
      const Values state1(static_cast<size_t>(sizes[t]), update.initial_state1);
      const Values state2(static_cast<size_t>(sizes[t]), 0);
      void* parameter = call.output("parameter", sizes[t], tolerance, parameters_of(sizes[t], t));
      tensors.push_back({.parameter = parameter,
                         .gradient = nullptr,
                         .state1 = update.has_state1 ? call.output("state1", sizes[t], tolerance, state1) : nullptr,
                         .state2 = update.has_state2 ? call.output("state2", sizes[t], tolerance, state2) : nullptr,
                         .count = sizes[t]});
    }
    const float* rates = call.typed_input<float>("learning_rates", kLearningRates);
    for (int step = 0; step < kSteps; ++step) {
      for (size_t t = 0; t < sizes.size(); ++t)
        tensors[t].gradient = call.input("gradient", sizes[t], gradients_of(sizes[t], t, step));
      const int64_t* clock = call.typed_input<int64_t>("step", {static_cast<double>(step)});
      const Status status = update.launch(call, call.keep(tensors), static_cast<int64_t>(sizes.size()), rates, clock);
      if (status != 0) return status;
    }
    return Status{0};
  };
  std::string shape = update.text + " sizes";
  for (int64_t size : sizes) shape.append(" ").append(std::to_string(size));
  check({.primitive = update.primitive,
         .shape = shape,
         .real = real,
         .offset = offset,
         .run = run,
         .expected = expected});
}

void check_update(const Update& update) {
  for (DType real : kReals) {
    int64_t offset = 0;
    for (const auto& sizes : kTensorSizes) check_update(update, sizes, real, offset++ % 2);
  }
}

Update sgd_update(double momentum, double weight_decay) {
  const bool has_momentum = momentum != 0;
  return {.primitive = "sgd",
          .has_state1 = has_momentum,
          .has_state2 = false,
          .initial_state1 = std::nan(""),
          .rule =
              [=](Element& e, double gradient, int step, double learning_rate) {
                gradient += weight_decay * e.parameter;
                if (has_momentum) {
                  e.state1 = step == 0 ? gradient : momentum * e.state1 + gradient;
                  gradient = e.state1;
                }
                e.parameter -= learning_rate * gradient;
              },
          .launch =
              [=](Call& call, const OptimizerTensor* tensors, int64_t count, const float* rates, const int64_t* step) {
                const SgdArgs args{.dtype = call.real(),
                                   .tensors = tensors,
                                   .tensor_count = count,
                                   .learning_rates = rates,
                                   .learning_rate_count = static_cast<int64_t>(kLearningRates.size()),
                                   .step = step,
                                   .momentum = momentum,
                                   .weight_decay = weight_decay};
                return call.invoke(&Backend::sgd, args);
              },
          .text = "momentum " + std::to_string(momentum) + " weight_decay " + std::to_string(weight_decay)};
}

Update adam_update(double weight_decay, bool decoupled) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  return {.primitive = "adam",
          .has_state1 = true,
          .has_state2 = true,
          .initial_state1 = 0,
          .rule =
              [=](Element& e, double gradient, int step, double learning_rate) {
                if (decoupled)
                  e.parameter *= 1 - learning_rate * weight_decay;
                else
                  gradient += weight_decay * e.parameter;
                e.state1 = kBeta1 * e.state1 + (1 - kBeta1) * gradient;
                e.state2 = kBeta2 * e.state2 + (1 - kBeta2) * gradient * gradient;
                const double correction1 = 1 - std::pow(kBeta1, step + 1);
                const double correction2 = 1 - std::pow(kBeta2, step + 1);
                const double denominator = std::sqrt(e.state2) / std::sqrt(correction2) + kEpsilon;
                e.parameter -= learning_rate / correction1 * e.state1 / denominator;
              },
          .launch =
              [=](Call& call, const OptimizerTensor* tensors, int64_t count, const float* rates, const int64_t* step) {
                const AdamArgs args{.dtype = call.real(),
                                    .tensors = tensors,
                                    .tensor_count = count,
                                    .learning_rates = rates,
                                    .learning_rate_count = static_cast<int64_t>(kLearningRates.size()),
                                    .step = step,
                                    .beta1 = kBeta1,
                                    .beta2 = kBeta2,
                                    .epsilon = kEpsilon,
                                    .weight_decay = weight_decay,
                                    .decoupled = decoupled};
                return call.invoke(&Backend::adam, args);
              },
          .text = std::string(decoupled ? "decoupled " : "") + "weight_decay " + std::to_string(weight_decay)};
}

}  // namespace

TEST_CASE("sgd") {
  check_update(sgd_update(0, 0));
  check_update(sgd_update(0, 0.25));
  check_update(sgd_update(0.875, 0));
  check_update(sgd_update(0.875, 0.25));
}

TEST_CASE("adam and adamw") {
  check_update(adam_update(0, false));
  check_update(adam_update(0.25, false));
  check_update(adam_update(0.25, true));
}

// Parameter 1, gradients 0.5 then -0.25, learning rate 0.1, worked out on paper.
TEST_CASE("sgd and adam: by hand") {
  const auto two_steps = [](const char* primitive, const std::vector<Values>& expected, const auto& launch) {
    for (DType real : kReals) {
      const auto run = [=](Call& call) {
        const Tolerance tolerance{.absolute = 0x1p-22};  // 0.1 itself is a float
        OptimizerTensor tensor{.parameter = call.output("parameter", 1, tolerance, {1}),
                               .gradient = nullptr,
                               .state1 = call.output("state1", 1, tolerance, {0}),
                               .state2 = expected.size() > 2 ? call.output("state2", 1, tolerance, {0}) : nullptr,
                               .count = 1};
        const float* rates = call.typed_input<float>("learning_rates", {0.1f});
        for (int step = 0; step < 2; ++step) {
          tensor.gradient = call.input("gradient", 1, {step == 0 ? 0.5 : -0.25});
          const int64_t* clock = call.typed_input<int64_t>("step", {static_cast<double>(step)});
          const Status status = launch(call, call.keep({tensor}), rates, clock);
          if (status != 0) return status;
        }
        return Status{0};
      };
      check({.primitive = primitive, .shape = "by hand", .real = real, .run = run, .expected = expected});
    }
  };
  // v = 0.5, p = 0.95;  v = 0.45 - 0.25, p = 0.93
  two_steps("sgd", {{0.93}, {0.2}},
            [](Call& call, const OptimizerTensor* tensors, const float* rates, const int64_t* step) {
              return call.invoke(&Backend::sgd, SgdArgs{.dtype = call.real(),
                                                        .tensors = tensors,
                                                        .tensor_count = 1,
                                                        .learning_rates = rates,
                                                        .learning_rate_count = 1,
                                                        .step = step,
                                                        .momentum = 0.9,
                                                        .weight_decay = 0});
            });
  // m = 0.05, v = 0.00025, p = 0.9;  m = 0.045 - 0.025, v = 0.00024975 + 0.0000625,
  // p = 0.9 - 0.1 * (0.02 / 0.19) / sqrt(0.00031225 / 0.001999)
  two_steps("adam", {{0.87336634}, {0.02}, {0.00031225}},
            [](Call& call, const OptimizerTensor* tensors, const float* rates, const int64_t* step) {
              return call.invoke(&Backend::adam, AdamArgs{.dtype = call.real(),
                                                          .tensors = tensors,
                                                          .tensor_count = 1,
                                                          .learning_rates = rates,
                                                          .learning_rate_count = 1,
                                                          .step = step,
                                                          .beta1 = 0.9,
                                                          .beta2 = 0.999,
                                                          .epsilon = 1e-8,
                                                          .weight_decay = 0,
                                                          .decoupled = 0});
            });
}

}  // namespace cairn::test
