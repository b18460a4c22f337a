// sgd and adam against PyTorch's rules written out here, over several steps with changing learning rates; the norm of
// gradients, and moving averages. Not here: schedules.
#include <doctest/doctest.h>

#include <algorithm>
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
  std::function<void(Element&, double gradient, int step, double learning_rate, double weight_decay)> rule;
  std::function<Status(Call&, const OptimizerTensor*, int64_t count, const float* factor, const float* rates,
                       const int64_t* step)>
      launch;
  double weight_decay;
  double factor;  // of the gradients; 1: none is given
  std::string text;
};

// Every other tensor has its own.
double weight_decay_of(const Update& update, size_t tensor) {
  return tensor % 2 == 0 ? update.weight_decay : update.weight_decay / 4;
}

const Values& parameters_of(int64_t count, size_t tensor) {
  return reals(count, 100 + static_cast<uint32_t>(tensor));
}
const Values& gradients_of(int64_t count, size_t tensor, int step) {
  return reals(count, 1000 + 10 * static_cast<uint32_t>(tensor) + static_cast<uint32_t>(step));
}

std::string sizes_text(const std::vector<int64_t>& sizes) {
  std::string text = "sizes";
  for (int64_t size : sizes) text.append(" ").append(std::to_string(size));
  return text;
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
        update.rule(element, update.factor * gradients_of(sizes[t], t, step)[i], step,
                    kLearningRates[static_cast<size_t>(step) % kLearningRates.size()], weight_decay_of(update, t));
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
                         .count = sizes[t],
                         .weight_decay = weight_decay_of(update, t)});
    }
    const float* factor = update.factor == 1 ? nullptr : call.typed_input<float>("factor", {update.factor});
    const float* rates = call.typed_input<float>("learning_rates", kLearningRates);
    for (int step = 0; step < kSteps; ++step) {
      for (size_t t = 0; t < sizes.size(); ++t)
        tensors[t].gradient = call.input("gradient", sizes[t], gradients_of(sizes[t], t, step));
      const int64_t* clock = call.typed_input<int64_t>("step", {static_cast<double>(step)});
      const Status status =
          update.launch(call, call.keep(tensors), static_cast<int64_t>(sizes.size()), factor, rates, clock);
      if (status != 0) return status;
    }
    return Status{0};
  };
  check({.primitive = update.primitive,
         .shape = update.text + " " + sizes_text(sizes),
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

Update sgd_update(double momentum, double weight_decay, double factor = 1) {
  const bool has_momentum = momentum != 0;
  return {.primitive = "sgd",
          .has_state1 = has_momentum,
          .has_state2 = false,
          .initial_state1 = std::nan(""),
          .rule =
              [=](Element& e, double gradient, int step, double learning_rate, double weight_decay) {
                gradient += weight_decay * e.parameter;
                if (has_momentum) {
                  e.state1 = step == 0 ? gradient : momentum * e.state1 + gradient;
                  gradient = e.state1;
                }
                e.parameter -= learning_rate * gradient;
              },
          .launch =
              [=](Call& call, const OptimizerTensor* tensors, int64_t count, const float* factor, const float* rates,
                  const int64_t* step) {
                const SgdArgs args{.dtype = call.real(),
                                   .tensors = tensors,
                                   .tensor_count = count,
                                   .gradient_factor = factor,
                                   .learning_rates = rates,
                                   .learning_rate_count = static_cast<int64_t>(kLearningRates.size()),
                                   .step = step,
                                   .momentum = momentum};
                return call.invoke(&Backend::sgd, args);
              },
          .weight_decay = weight_decay,
          .factor = factor,
          .text = "factor " + std::to_string(factor) + " momentum " + std::to_string(momentum) + " weight_decay " +
                  std::to_string(weight_decay)};
}

Update adam_update(double weight_decay, bool decoupled, double factor = 1) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  return {.primitive = "adam",
          .has_state1 = true,
          .has_state2 = true,
          .initial_state1 = 0,
          .rule =
              [=](Element& e, double gradient, int step, double learning_rate, double weight_decay) {
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
              [=](Call& call, const OptimizerTensor* tensors, int64_t count, const float* factor, const float* rates,
                  const int64_t* step) {
                const AdamArgs args{.dtype = call.real(),
                                    .tensors = tensors,
                                    .tensor_count = count,
                                    .gradient_factor = factor,
                                    .learning_rates = rates,
                                    .learning_rate_count = static_cast<int64_t>(kLearningRates.size()),
                                    .step = step,
                                    .beta1 = kBeta1,
                                    .beta2 = kBeta2,
                                    .epsilon = kEpsilon,
                                    .decoupled = decoupled};
                return call.invoke(&Backend::adam, args);
              },
          .weight_decay = weight_decay,
          .factor = factor,
          .text = "factor " + std::to_string(factor) + std::string(decoupled ? " decoupled " : " ") + "weight_decay " +
                  std::to_string(weight_decay)};
}

}  // namespace

TEST_CASE("sgd") {
  check_update(sgd_update(0, 0));
  check_update(sgd_update(0, 0.25));
  check_update(sgd_update(0.875, 0));
  check_update(sgd_update(0.875, 0.25));
  check_update(sgd_update(0.875, 0.25, 0.625));
}

TEST_CASE("adam and adamw") {
  check_update(adam_update(0, false));
  check_update(adam_update(0.25, false));
  check_update(adam_update(0.25, true));
  check_update(adam_update(0.25, false, 0.625));
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
                               .count = 1,
                               .weight_decay = 0};
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
                                                        .gradient_factor = nullptr,
                                                        .learning_rates = rates,
                                                        .learning_rate_count = 1,
                                                        .step = step,
                                                        .momentum = 0.9});
            });
  // m = 0.05, v = 0.00025, p = 0.9;  m = 0.045 - 0.025, v = 0.00024975 + 0.0000625,
  // p = 0.9 - 0.1 * (0.02 / 0.19) / sqrt(0.00031225 / 0.001999)
  two_steps("adam", {{0.87336634}, {0.02}, {0.00031225}},
            [](Call& call, const OptimizerTensor* tensors, const float* rates, const int64_t* step) {
              return call.invoke(&Backend::adam, AdamArgs{.dtype = call.real(),
                                                          .tensors = tensors,
                                                          .tensor_count = 1,
                                                          .gradient_factor = nullptr,
                                                          .learning_rates = rates,
                                                          .learning_rate_count = 1,
                                                          .step = step,
                                                          .beta1 = 0.9,
                                                          .beta2 = 0.999,
                                                          .epsilon = 1e-8,
                                                          .decoupled = 0});
            });
}

namespace {

Status clip(Call& call, const std::vector<Values>& gradients, double max_norm) {
  std::vector<OptimizerTensor> tensors;
  for (const Values& gradient : gradients)
    tensors.push_back({.parameter = nullptr,
                       .gradient = call.input("gradient", static_cast<int64_t>(gradient.size()), gradient),
                       .state1 = nullptr,
                       .state2 = nullptr,
                       .count = static_cast<int64_t>(gradient.size()),
                       .weight_decay = 0});
  // Squares and sums in double; the factor is rounded once.
  const ClipGradientsArgs args{.dtype = call.real(),
                               .tensors = call.keep(tensors),
                               .tensor_count = static_cast<int64_t>(gradients.size()),
                               .max_norm = max_norm,
                               .factor = call.typed_output<float>("factor", 1, {.relative = 2 * unit(DType::f32)})};
  return call.invoke(&Backend::clip_gradients, args);
}

}  // namespace

TEST_CASE("clip_gradients") {
  std::vector<std::vector<int64_t>> all = kTensorSizes;
  if (!small_sweep()) all.push_back({70001, 1, 30000});
  for (DType real : kReals) {
    for (const auto& sizes : all) {
      std::vector<Values> gradients;
      for (size_t t = 0; t < sizes.size(); ++t) gradients.push_back(gradients_of(sizes[t], t, 0));
      for (double max_norm : {0.25, 1e6})
        check({.primitive = "clip_gradients",
               .shape = sizes_text(sizes) + " max_norm " + std::to_string(max_norm),
               .real = real,
               .offset = static_cast<int64_t>(sizes.size()) % 2,
               .run = [=](Call& call) { return clip(call, gradients, max_norm); }});
    }
    const auto check_factor = [real](const char* shape, const std::vector<Values>& gradients, double factor) {
      check({.primitive = "clip_gradients",
             .shape = shape,
             .real = real,
             .run = [=](Call& call) { return clip(call, gradients, 2); },
             .expected = {{factor}}});
    };
    check_factor("3 and 4", {{3}, {}, {-4}}, 2 / (5 + 1e-6));
    check_factor("no gradients", {}, 1);
    check_factor("zeros", {{0, 0}}, 1);
    check_factor("shorter than the bound", {{1, 1}}, 1);
    check_factor("infinite", {{1, kInfinity}}, 0);
    check_factor("no number", {{1}, {kNan}}, kNan);
  }
}

TEST_CASE("moving_average") {
  for (DType real : kReals) {
    for (const auto& sizes : kTensorSizes) {
      for (int64_t step : {0, 3, 100000}) {
        for (bool ramp : {false, true}) {
          constexpr double kDecay = 0.96875;
          const auto t = static_cast<double>(step);
          const double decay = ramp ? std::min(kDecay, (1 + t) / (10 + t)) : kDecay;
          std::vector<Values> expected = {{7}};
          for (size_t i = 0; i < sizes.size(); ++i) {
            expected.emplace_back();
            for (size_t j = 0; j < static_cast<size_t>(sizes[i]); ++j)
              expected.back().push_back(decay * gradients_of(sizes[i], i, 0)[j] +
                                        (1 - decay) * parameters_of(sizes[i], i)[j]);
          }
          const auto run = [=](Call& call) {
            call.output("an array of nobody's", 1, {}, {7});
            std::vector<OptimizerTensor> tensors;
            for (size_t i = 0; i < sizes.size(); ++i) {
              const void* parameter = call.input("parameter", sizes[i], parameters_of(sizes[i], i));
              tensors.push_back({.parameter = const_cast<void*>(parameter),
                                 .gradient = nullptr,
                                 // Two factors, two products of up to 1 and their sum are rounded.
                                 .state1 = call.output("average", sizes[i], {.absolute = 4 * unit(real)},
                                                       gradients_of(sizes[i], i, 0)),
                                 .state2 = nullptr,
                                 .count = sizes[i],
                                 .weight_decay = 0});
            }
            const MovingAverageArgs args{.dtype = call.real(),
                                         .tensors = call.keep(tensors),
                                         .tensor_count = static_cast<int64_t>(sizes.size()),
                                         .step = call.typed_input<int64_t>("step", {t}),
                                         .decay = kDecay,
                                         .ramp = ramp};
            return call.invoke(&Backend::moving_average, args);
          };
          check({.primitive = "moving_average",
                 .shape = sizes_text(sizes) + " step " + std::to_string(step) + (ramp ? " ramp" : ""),
                 .real = real,
                 .offset = step % 2,
                 .run = run,
                 .expected = expected});
        }
      }
    }
  }
}

}  // namespace cairn::test
