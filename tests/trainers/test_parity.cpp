// Every implementation trains the same network: losses agree step by step, and one implementation gives the same bits
// again, on any number of threads.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/trainers/support.h"

namespace cairn::testing {
namespace {

constexpr int64_t kSteps = 100;
struct Case {
  const char* model;
  const char* recipe;
  int64_t images;          // of the training set; full-batch recipes take them all at each step
  int64_t batch_size;      // 0: the recipe's; smaller where the reference would take long
  int64_t steps = kSteps;  // fewer for the same reason
};
// Few enough images that the steps fall into more than one epoch, with a short last batch.
const Case kCases[] = {
    {"linear", "default", 3210, 0},   {"dnn", "default", 3210, 0},        {"mlp", "default", 635, 12},
    {"mlp-dropout", "adam", 635, 12}, {"linear", "full-batch", 999, 0},   {"dnn", "full-batch", 999, 0},
    {"lenet", "default", 60, 8, 12},  {"relunet", "skoltech", 60, 8, 12}, {"cnn", "benchmark-mnist", 9, 4, 4}};

RunConfig config_of(const Case& test, const std::string& implementation, int threads = 2) {
  RunConfig config = config_for(test.model, test.recipe, implementation, threads);
  if (test.batch_size) config.training.batch_size = test.batch_size;
  return config;
}

double largest_deviation(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::fabs(double{a[i]} - b[i]) / std::max(std::fabs(double{b[i]}), 1e-3));
  return largest;
}

}  // namespace

TEST_CASE("the first 100 losses, or as many as the reference has time for, agree between implementations") {
  const datasets::Dataset digits = load(has_mnist() ? "mnist" : "digits", 4000, 100);
  for (const Case& test : kCases) {
    CAPTURE(test.model);
    CAPTURE(test.recipe);
    // The published rate of 1 makes the losses on digits jump up and down, each time farther apart.
    const bool unstable = std::string(test.model) == "linear" && std::string(test.recipe) == "full-batch";
    const int64_t steps = unstable && !has_mnist() ? 10 : test.steps;
    std::vector<float> expected;
    for (const std::string& implementation : kCpuImplementations) {
      CAPTURE(implementation);
      datasets::Dataset dataset = digits;
      dataset.train = datasets::subset(digits.train, datasets::epoch_order(test.images, 0, 0, false));
      Trainer trainer = make_trainer(config_of(test, implementation), dataset);
      const std::vector<float> losses = first_losses(trainer, steps);
      if (expected.empty()) expected = losses;
      const double deviation = largest_deviation(losses, expected);
      MESSAGE(std::string(test.model) << " " << std::string(test.recipe) << " " << implementation
                                      << ": deviation from reference " << deviation);
      CHECK(deviation < 1e-4);
    }
    if (test.steps == kSteps) CHECK(expected.back() < expected.front());
  }
}

TEST_CASE("a rerun gives the same bits on one and two threads") {
  const datasets::Dataset digits = load("digits", 1290, 100);
  for (const Case& test : kCases)
    for (const std::string implementation : {"simd", "vanilla"}) {
      CAPTURE(test.model);
      CAPTURE(test.recipe);
      CAPTURE(implementation);
      std::vector<std::vector<std::byte>> runs;
      for (const int threads : {1, 2, 2}) {
        RunConfig config = config_of(test, implementation, threads);
        config.training.steps = std::min<int64_t>(test.steps, 25);
        Trainer trainer = make_trainer(config, digits);
        first_losses(trainer, trainer.total_steps());
        runs.push_back(parameter_bytes(trainer));
      }
      CHECK(runs[0] == runs[1]);
      CHECK(runs[1] == runs[2]);
    }
}

TEST_CASE("another seed gives another run") {
  const datasets::Dataset digits = load("digits", 640, 100);
  RunConfig config = config_for("dnn", "default", "simd");
  Trainer first = make_trainer(config, digits);
  config.seed = 2;
  Trainer second = make_trainer(config, digits);
  CHECK(parameter_bytes(first) != parameter_bytes(second));
}

}  // namespace cairn::testing
