// The loop itself: replayed steps equal steps run one by one, batches are what they should be, evaluation counts every
// image, interruption and divergence.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "datasets/order.h"
#include "framework/autograd.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/row_scale.h"
#include "models/image_stack.h"
#include "tests/trainers/support.h"
#include "trainers/checkpoint.h"

namespace cairn::testing {
namespace {

// A step of plain gradient descent, written out by hand.
void descend(Module& model, const Tensor& loss, float rate) {
  for (NamedTensor& parameter : model.parameters()) parameter.tensor.clear_grad();
  backward(loss);
  for (NamedTensor& parameter : model.parameters()) {
    std::vector<float> value = parameter.tensor.to_host<float>();
    const std::vector<float> gradient = parameter.tensor.grad().to_host<float>();
    for (size_t i = 0; i < value.size(); ++i) value[i] -= rate * gradient[i];
    parameter.tensor.set<float>(value);
  }
}

// For digits, with an auxiliary classifier on the pixels.
std::shared_ptr<Module> build_watched(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
  ImageStack network(device, initializer, dtype, {1, 28, 28});
  network.average_pool(4).auxiliary([](ImageStack& head) { head.linear(10); }, 0.4);
  return network.linear(16).relu().linear(10).build();
}

float first_loss(const RunConfig& config, const datasets::Dataset& dataset) {
  Trainer trainer = make_trainer(config, dataset);
  return first_losses(trainer, 1)[0];
}

}  // namespace

TEST_CASE("a network learns the generated digits") {
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    Trainer trainer = make_trainer(config_for("dnn", "default", implementation), load("digits", 4000, 1000));
    const Evaluation before = trainer.evaluate();
    const EpochResult first = trainer.run_epoch({}, kNever);
    EpochResult last = first;
    for (int i = 0; i < 3; ++i) last = trainer.run_epoch({}, kNever);
    const Evaluation after = trainer.evaluate();
    CHECK(before.count == 1000);
    CHECK(before.accuracy < 0.3);
    CHECK(after.accuracy > 0.6);
    CHECK(after.correct == std::lround(after.accuracy * 1000));
    CHECK(last.train_loss < first.train_loss);
    CHECK(last.epoch == 4);
    CHECK(last.steps == 4 * trainer.steps_per_epoch());
  }
}

TEST_CASE("what is counted while training is how many were right before each update, and changes nothing") {
  datasets::Dataset digits = load("digits", 150, 10);  // 64 + 64 + 22
  digits.test = digits.train;
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    RunConfig config = config_for("dnn", "default", implementation);
    CHECK_FALSE(make_trainer(config, digits).run_epoch({}, kNever).train_accuracy.has_value());

    config.train_accuracy = true;
    config.training.learning_rate = 1e-30;  // the network stays, so that what is counted is its accuracy
    Trainer still = make_trainer(config, digits);
    const double accuracy = still.evaluate().accuracy;
    CHECK(accuracy > 0);
    for (int epoch = 0; epoch < 3; ++epoch) CHECK(still.run_epoch({}, kNever).train_accuracy == accuracy);

    config = config_for("dnn", "default", implementation);
    Trainer plain = make_trainer(config, digits);
    config.train_accuracy = true;
    Trainer counting = make_trainer(config, digits);
    CHECK(first_losses(plain, 9) == first_losses(counting, 9));
    CHECK(parameter_bytes(plain) == parameter_bytes(counting));
  }
}

TEST_CASE("an epoch that was begun elsewhere has no training accuracy, and kernels without outputs refuse to count") {
  const datasets::Dataset digits = load("digits", 640, 10);  // ten steps an epoch
  RunConfig config = config_for("dnn", "default", "simd");
  config.train_accuracy = true;
  Trainer trainer = make_trainer(config, digits);
  const EpochResult begun = trainer.run_epoch({.last_step = 4}, kNever);
  CHECK(begun.rows == 4 * 64);
  CHECK(begun.train_accuracy.has_value());
  const EpochResult rest = trainer.run_epoch({}, kNever);
  CHECK(rest.rows == 6 * 64);
  CHECK_FALSE(rest.train_accuracy.has_value());
  CHECK(trainer.run_epoch({}, kNever).train_accuracy.has_value());
  config = config_for("dnn", "default", "vanilla");
  config.train_accuracy = true;
  config.device.kernels = "sgd_steps=1";
  CHECK_THROWS_WITH_AS(
      make_trainer(config, digits),
      "--train-accuracy: sgd_steps keeps no outputs of the network that could be counted; leave out one "
      "of the two",
      UsageError);
}

TEST_CASE("an epoch with a short last batch sees every image once") {
  const datasets::Dataset digits = load("digits", 150, 10);
  RunConfig config = config_for("linear", "default", "reference");
  Trainer trainer = make_trainer(config, digits);
  CHECK(trainer.steps_per_epoch() == 3);  // 64 + 64 + 22
  config.training.drop_last = true;
  CHECK(make_trainer(config, digits).steps_per_epoch() == 2);
  config.training.batch_size = 151;
  CHECK_THROWS_WITH_AS(make_trainer(config, digits),
                       "--batch-size 151 is more than the 150 training examples; 0 takes them all", UsageError);
}

TEST_CASE("a run of so many steps ends within an epoch, and what its length decides follows") {
  const datasets::Dataset digits = load("digits", 640, 10);  // ten steps an epoch
  RunConfig config = config_for("linear", "default", "simd");
  config.training.epochs = 0;
  config.training.steps = 25;
  Trainer trainer = make_trainer(config, digits);
  CHECK(trainer.steps_per_epoch() == 10);
  CHECK(trainer.total_steps() == 25);
  trainer.run_epoch({}, kNever);
  trainer.run_epoch({}, kNever);
  const EpochResult last = trainer.run_epoch({}, kNever);
  CHECK(last.epoch == 3);
  CHECK(last.steps == 25);
  CHECK_FALSE(last.interrupted);
  CHECK(trainer.losses().size() == 5);
  // The cosine ends where the run does.
  CHECK(last.learning_rate == doctest::Approx(0.02 * (1 + std::cos(std::acos(-1.0) * 24 / 25)) / 2));
  const EpochResult beyond = trainer.run_epoch({}, kNever);  // the rest of the third epoch, asked for all the same
  CHECK(beyond.steps == 30);
  CHECK(beyond.learning_rate == 0);

  config.training.epochs = 2;  // whichever comes first
  CHECK(make_trainer(config, digits).total_steps() == 20);
  config.training.epochs = 3;
  CHECK(make_trainer(config, digits).total_steps() == 25);
  config.training.steps = 0;
  CHECK(make_trainer(config, digits).total_steps() == 30);
}

TEST_CASE("without shuffling, the batches are the images as they are stored, epoch by epoch") {
  // The labels tell the images apart: a network whose rate is all but zero gives each batch its own loss.
  const datasets::Dataset digits = load("digits", 100, 10);
  RunConfig config = config_for("linear", "default", "reference");
  config.training.batch_size = 32;
  config.training.learning_rate = 1e-30;
  config.training.shuffle = false;
  Trainer trainer = make_trainer(config, digits);
  trainer.run_epoch({}, kNever);
  const std::vector<float> first = trainer.losses();
  trainer.run_epoch({}, kNever);
  CHECK(trainer.losses() == first);
  REQUIRE(first.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    datasets::Dataset part = digits;
    const auto begin = static_cast<int64_t>(32 * i), count = std::min<int64_t>(32, 100 - begin);
    std::vector<int32_t> indices;
    for (int64_t image = begin; image < begin + count; ++image) indices.push_back(static_cast<int32_t>(image));
    part.train = datasets::subset(digits.train, indices);
    RunConfig alone = config;
    alone.training.batch_size = 0;
    CHECK(first_loss(alone, part) == doctest::Approx(first[i]).epsilon(1e-6));
  }
  config.training.shuffle = true;
  Trainer shuffled = make_trainer(config, digits);
  shuffled.run_epoch({}, kNever);
  const std::vector<float> one = shuffled.losses();
  CHECK(one != first);
  shuffled.run_epoch({}, kNever);
  CHECK(shuffled.losses() != one);
}

TEST_CASE("bytes become the numbers that a recipe asks for") {
  const auto value = [](const Recipe& recipe, int byte) {
    const PixelScale pixels = pixel_scale(recipe, {{0.25f}, {0.5f}});
    REQUIRE(pixels.scale.size() == 1);
    return static_cast<float>(byte) * pixels.scale[0] + pixels.shift[0];
  };
  CHECK(value({.normalization = Normalization::unit}, 255) == doctest::Approx(1));
  CHECK(value({.normalization = Normalization::unit_256}, 128) == 0.5f);
  CHECK(value({.normalization = Normalization::centred}, 0) == -1);
  CHECK(value({.normalization = Normalization::centred}, 255) == doctest::Approx(1));
  CHECK(value({}, 0) == doctest::Approx(-0.5));
  CHECK(value({}, 255) == doctest::Approx(1.5));
  CHECK(value({.statistics = "mnist"}, 0) == doctest::Approx(-0.1307 / 0.3081));
  CHECK(value({.statistics = "mnist"}, 255) == doctest::Approx((1 - 0.1307) / 0.3081));
  // Channel by channel, and no data set's statistics for images of other channels.
  const PixelScale colours = pixel_scale({}, {{0.5f, 0.25f, 0}, {0.5f, 0.25f, 1}});
  CHECK(colours.shift == std::vector<float>{-1, -1, 0});
  CHECK(colours.scale[1] == doctest::Approx(4.0 / 255));
  CHECK_THROWS_WITH_AS(pixel_scale({.name = "of-digits", .statistics = "mnist"}, {{0, 0, 0}, {1, 1, 1}}),
                       "recipe of-digits scales pixels as mnist does, whose images have 1 channels; these have 3",
                       UsageError);
}

TEST_CASE("a replayed step is the step that was run first") {
  // With one batch an epoch and no momentum the trainer is gradient descent, which is easily written out by hand.
  const datasets::Dataset digits = load("digits", 200, 10);
  RunConfig config = config_for("linear", "full-batch", "reference");
  config.training.learning_rate = 0.5;
  Trainer trainer = make_trainer(config, digits);
  const std::vector<float> losses = first_losses(trainer, 6);

  const std::shared_ptr<Device> device = Device::open(config.device);
  Initializer initializer(config.training.init, config.seed);
  const std::shared_ptr<Module> model = find_model("linear").build(device, initializer, DType::f32);
  const Tensor bytes = Tensor::from_host<uint8_t>(device, {200, 1, 28, 28}, images(digits.train));
  const Tensor labels = Tensor::from_host<int32_t>(device, {200}, datasets::labels(digits.train));
  for (const float expected : losses) {
    const Tensor loss =
        cross_entropy(model->forward(Tensor::byte_rows(bytes, {}, RowScale(device, 1.0f / 255, 0))), labels);
    CHECK(loss.item() == doctest::Approx(expected).epsilon(1e-5));
    descend(*model, loss, 0.5f);
  }
}

TEST_CASE("an auxiliary classifier's loss counts in every step, replayed ones too, and not in evaluation") {
  Recipe recipe{.name = "default", .learning_rate = 0.5, .batch_size = 0};
  recipe.normalization = Normalization::unit;
  const ModelInfo info{.name = "watched",
                       .description = "",
                       .input = Shape{1, 28, 28},
                       .classes = 10,
                       .build = build_watched,
                       .recipes = {recipe}};
  datasets::Dataset digits = load("digits", 200, 10);
  digits.test = digits.train;
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    RunConfig config;
    config.training = recipe;
    const std::shared_ptr<Device> device = open(implementation);
    Trainer trainer(device, info, config, upload(device, digits, info, recipe, config.seed));
    const std::vector<float> losses = first_losses(trainer, 5);

    Initializer initializer(recipe.init, config.seed);
    const std::shared_ptr<Module> model = build_watched(device, initializer, DType::f32);
    const Tensor bytes = Tensor::from_host<uint8_t>(device, {200, 1, 28, 28}, images(digits.train));
    const Tensor labels = Tensor::from_host<int32_t>(device, {200}, datasets::labels(digits.train));
    const auto logits = [&] { return model->forward(Tensor::byte_rows(bytes, {}, RowScale(device, 1.0f / 255, 0))); };
    for (const float expected : losses) {
      const Tensor own = cross_entropy(logits(), labels);
      const Tensor aside = cross_entropy(model->take_auxiliary().at(0).logits, labels);
      const Tensor loss = add(own, scale(aside, 0.4));
      CHECK(loss.item() == doctest::Approx(expected).epsilon(1e-5));
      descend(*model, loss, 0.5f);
    }
    model->eval();
    CHECK(trainer.evaluate().loss == doctest::Approx(cross_entropy(logits(), labels).item()).epsilon(1e-5));
  }
}

TEST_CASE("interruption ends the epoch after the step in hand") {
  Trainer trainer = make_trainer(config_for("linear", "default", "simd"), load("digits", 1000, 10));
  std::atomic<bool> stop{false};
  Trainer::Hooks hooks;
  hooks.progress_interval = 3;
  hooks.progress = [&](int64_t done, double) { stop = done >= 6; };
  const EpochResult result = trainer.run_epoch(hooks, stop);
  CHECK(result.interrupted);
  CHECK(result.steps == 6);
  CHECK(trainer.steps_done() == 6);
  const EpochResult rest = trainer.run_epoch({}, kNever);
  CHECK_FALSE(rest.interrupted);
  CHECK(rest.steps == trainer.steps_per_epoch());
}

TEST_CASE("a checkpoint's count of steps is refused where no run can have come to it") {
  Trainer trainer = make_trainer(config_for("linear", "default", "reference"), load("digits", 128, 10));
  for (const int64_t steps : {int64_t{-1}, std::numeric_limits<int64_t>::max() - 1}) {
    CAPTURE(steps);
    std::vector<HostTensor> checkpoint = checkpoint_of(trainer, {});
    for (HostTensor& tensor : checkpoint)
      if (tensor.name == "step") std::memcpy(tensor.bytes.data(), &steps, sizeof steps);
    CHECK_THROWS_AS(restore(trainer, checkpoint, "file"), DataError);
    CHECK(trainer.steps_done() == 0);
  }
}

TEST_CASE("a loss that is no number is an error that names the step") {
  RunConfig config = config_for("dnn", "default", "simd");
  config.training.learning_rate = 1e20;
  config.training.schedule = {};
  Trainer trainer = make_trainer(config, load("digits", 1000, 10));
  try {
    for (int i = 0; i < 10; ++i) trainer.run_epoch({}, kNever);
    FAIL("training at a learning rate of 1e20 did not diverge");
  } catch (const DivergedError& error) {
    const std::string text = error.what();
    CHECK_MESSAGE(text.find("the loss became ") == 0, text);
    CHECK_MESSAGE(text.find(" at step ") != std::string::npos, text);
  }
}

TEST_CASE("settings that make no sense are refused with the flag's name") {
  const RunConfig good = config_for("dnn", "default", "simd");
  const auto refused = [&](auto change, const char* text) {
    RunConfig config = good;
    change(config);
    CHECK_THROWS_WITH_AS(check_config(config), text, UsageError);
  };
  check_config(good);
  refused([](RunConfig& c) { c.training.learning_rate = 0; }, "--lr must be a number above 0, not 0");
  refused([](RunConfig& c) { c.training.learning_rate = -1; }, "--lr must be a number above 0, not -1");
  refused([](RunConfig& c) { c.training.learning_rate = std::numeric_limits<double>::quiet_NaN(); },
          "--lr must be a number above 0, not nan");
  refused([](RunConfig& c) { c.training.batch_size = -64; },
          "--batch-size must be a number of images, or 0 for the full batch, not -64");
  refused([](RunConfig& c) { c.training.epochs = 0; }, "--epochs must be between 1 and 1000000, not 0");
  refused([](RunConfig& c) { c.training.steps = -1; }, "--steps must be between 0 and 1000000000, not -1");
  refused([](RunConfig& c) { c.training.epochs = -(c.training.steps = 5); },
          "--epochs must be between 0 and 1000000, not -5");
  refused([](RunConfig& c) { c.training.momentum = 1; }, "--momentum must be in [0, 1), not 1");
  refused([](RunConfig& c) { c.device.threads = -1; }, "--threads must be between 0 and 1024, not -1");
}

}  // namespace cairn::testing
