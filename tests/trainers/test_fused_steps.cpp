// Training by sgd_steps: the same run as by captured steps, however it is cut, resumed or stopped; and what it cannot
// train. Not here: the primitive's results step by step (tests/kernels/test_sgd_steps.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "datasets/dataset.h"
#include "tests/trainers/support.h"
#include "trainers/checkpoint.h"

namespace cairn::testing {
namespace {

RunConfig fused(RunConfig config, const std::string& kernels = "sgd_steps=1") {
  config.device.kernels = kernels;
  return config;
}

// Of dnn by vanilla, which has all of it: momentum, a schedule, a short last batch.
RunConfig vanilla_dnn() {
  RunConfig config = config_for("dnn", "default", "vanilla");
  config.training.epochs = 3;
  config.training.weight_decay = 1e-4;
  return config;
}

std::vector<float> parameter_values(Trainer& trainer) {
  std::vector<float> values;
  for (const NamedTensor& parameter : trainer.model().parameters()) {
    const std::vector<float> own = parameter.tensor.to_host<float>();
    values.insert(values.end(), own.begin(), own.end());
  }
  return values;
}

void check_close(const std::vector<float>& actual, const std::vector<float>& expected, double absolute,
                 double relative) {
  REQUIRE(actual.size() == expected.size());
  double worst = 0;
  for (size_t i = 0; i < actual.size(); ++i)
    worst = std::max(worst, std::fabs(double{actual[i]} - double{expected[i]}) /
                                (absolute + relative * std::fabs(double{expected[i]})));
  CHECK(worst <= 1);
}

std::string refusal(const RunConfig& config) {
  try {
    make_trainer(config, load("digits", 300, 10));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("many steps in one call train as captured steps do, a short last batch and epochs included") {
  const datasets::Dataset digits = load("digits", 1000, 200);  // 15 batches of 64 and one of 40
  for (const char* kernels : {"sgd_steps=1", "sgd_steps=6"}) {
    CAPTURE(kernels);
    Trainer one = make_trainer(vanilla_dnn(), digits), many = make_trainer(fused(vanilla_dnn(), kernels), digits);
    for (int epoch = 0; epoch < 3; ++epoch) {
      const EpochResult expected = one.run_epoch({}, kNever), result = many.run_epoch({}, kNever);
      check_close(many.losses(), one.losses(), 1e-7, epoch == 0 ? 1e-5 : 1e-4);
      CHECK(result.steps == expected.steps);
      CHECK(result.learning_rate == expected.learning_rate);
      CHECK(result.train_loss == doctest::Approx(expected.train_loss).epsilon(1e-4));
      CHECK_FALSE(result.interrupted);
    }
    check_close(parameter_values(many), parameter_values(one), 1e-4, 1e-4);
    CHECK(std::abs(many.evaluate().correct - one.evaluate().correct) <= 1);
  }
}

TEST_CASE("one linear layer, without momentum") {
  const datasets::Dataset digits = load("digits", 640, 10);
  RunConfig config = config_for("linear", "sgd", "vanilla");
  config.training.batch_size = 100;
  Trainer one = make_trainer(config, digits), many = make_trainer(fused(config), digits);
  check_close(first_losses(many, 14), first_losses(one, 14), 1e-7, 1e-5);
  check_close(parameter_values(many), parameter_values(one), 1e-5, 1e-5);
}

TEST_CASE("how an epoch is cut into calls changes no bit, nor do the batches that are dropped") {
  const datasets::Dataset digits = load("digits", 1000, 10);
  RunConfig config = fused(vanilla_dnn());
  config.training.drop_last = true;  // 15 steps
  Trainer whole = make_trainer(config, digits), cut = make_trainer(config, digits);
  whole.run_epoch({}, kNever);
  Trainer::Hooks hooks;
  std::vector<int64_t> shown, saved;
  hooks.progress_interval = 4;
  hooks.progress = [&](int64_t done, double loss) {
    shown.push_back(done);
    CHECK(loss == whole.losses()[static_cast<size_t>(done - 1)]);
  };
  hooks.save_interval = 6;
  hooks.save = [&] { saved.push_back(cut.steps_done()); };
  cut.run_epoch(hooks, kNever);
  CHECK(shown == std::vector<int64_t>{4, 8, 12});
  CHECK(saved == std::vector<int64_t>{6, 12});
  CHECK(cut.losses() == whole.losses());
  CHECK(cut.steps_done() == 15);
  CHECK(parameter_bytes(cut) == parameter_bytes(whole));
}

TEST_CASE("stopped and resumed in the middle of an epoch it ends with the same bits") {
  const datasets::Dataset digits = load("digits", 1000, 10);
  Trainer whole = make_trainer(fused(vanilla_dnn()), digits), begun = make_trainer(fused(vanilla_dnn()), digits),
          resumed = make_trainer(fused(vanilla_dnn()), digits);
  whole.run_epoch({}, kNever);
  whole.run_epoch({}, kNever);
  begun.run_epoch({}, kNever);
  std::atomic<bool> stop{false};
  Trainer::Hooks hooks;
  hooks.progress_interval = 5;
  hooks.progress = [&](int64_t, double) { stop = true; };
  const EpochResult part = begun.run_epoch(hooks, stop);
  CHECK(part.interrupted);
  CHECK(part.steps == 16 + 5);
  restore(resumed, checkpoint_of(begun, {}), "a checkpoint");
  CHECK(resumed.steps_done() == 21);
  const EpochResult rest = resumed.run_epoch({}, kNever);
  CHECK(rest.steps == 32);
  CHECK(resumed.losses() == whole.losses());
  CHECK(parameter_bytes(resumed) == parameter_bytes(whole));
}

TEST_CASE("a run that ends within an epoch ends there") {
  RunConfig config = fused(config_for("linear", "default", "vanilla"));
  config.training.epochs = 0;
  config.training.steps = 13;
  Trainer trainer = make_trainer(config, load("digits", 640, 10));
  trainer.run_epoch({}, kNever);
  CHECK(trainer.run_epoch({}, kNever).steps == 13);
  CHECK(trainer.losses().size() == 3);
}

TEST_CASE("a loss that is no number ends the training here too") {
  RunConfig config = fused(vanilla_dnn());
  config.training.learning_rate = 1e20;
  config.training.schedule = {};
  Trainer trainer = make_trainer(config, load("digits", 1000, 10));
  CHECK_THROWS_AS(
      [&] {
        for (int i = 0; i < 3; ++i) trainer.run_epoch({}, kNever);
      }(),
      DivergedError);
}

TEST_CASE("what cannot be trained so is refused before anything is done") {
  const auto of = [](const char* model, const char* recipe = "default") {
    return fused(config_for(model, recipe, "vanilla"));
  };
  CHECK(refusal(of("dnn")) == "");
  CHECK(refusal(of("mlp", "adam")) == "--kernel sgd_steps trains with SGD, not adam: --optimizer sgd");
  CHECK(refusal(of("dnn", "full-batch")) ==
        "--kernel sgd_steps trains on mini-batches, not on the full batch: --batch-size 64");
  CHECK(refusal(of("lenet")) ==
        "--kernel sgd_steps trains linear layers with a ReLU between each two; model lenet has Conv2d conv1");
  CHECK(refusal(of("mlp-dropout")) ==
        "--kernel sgd_steps trains linear layers with a ReLU between each two; model mlp-dropout has Dropout dropout1");
  const std::string large = refusal(of("mlp"));
  CHECK_MESSAGE(large.find("sgd_steps failed (vanilla on cpu): vanilla: sgd_steps keeps a network in shared memory: "
                           "784-1024-10 with batches of 64 takes ") == 0,
                large);
  RunConfig batches = of("dnn");
  batches.training.batch_size = 300;
  CHECK(refusal(batches) ==
        "sgd_steps failed (vanilla on cpu): vanilla: sgd_steps takes batches of 1 to 256 rows, not 300");
  CHECK(refusal(fused(config_for("dnn", "default", "simd"))) ==
        "unknown kernel 'sgd_steps=1' of simd on cpu: it has no ladders");
}

}  // namespace cairn::testing
