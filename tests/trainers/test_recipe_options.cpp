// What a recipe can ask for beside a batch size and a rate: that implementations agree, that bits depend neither on the
// number of threads nor on an interruption, and what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/trainers/support.h"
#include "trainers/checkpoint.h"
#include "trainers/run_config.h"

namespace cairn::testing {
namespace {

constexpr int64_t kImages = 96, kBatch = 32;

// cifar-lenet on a few generated images, with everything on.
RunConfig everything(const std::string& implementation, int threads = 2) {
  RunConfig config = config_for("cifar-lenet", "default", implementation, threads);
  Recipe& recipe = config.training;
  recipe.batch_size = kBatch;
  recipe.epochs = 4;
  recipe.weight_decay = 1e-2;
  recipe.decay_on = "fc1.weight,fc2.weight";
  recipe.schedule = {.kind = Schedule::Kind::cosine, .warmup = 4};
  recipe.label_smoothing = 0.1;
  recipe.clip_norm = 0.02;
  recipe.average = 0.9;
  recipe.average_ramp = true;
  recipe.augmentation = {.crop = 32, .pad = 4, .flip = true, .brightness = 30, .contrast = 0.5};
  return config;
}

datasets::Dataset colours() {
  return load("digits32", kImages, 40);
}

void run_epochs(Trainer& trainer, int64_t epochs) {
  for (int64_t epoch = 0; epoch < epochs; ++epoch) trainer.run_epoch({}, kNever);
}

}  // namespace

TEST_CASE("recipes: with everything on, every implementation takes the same steps") {
  const datasets::Dataset data = colours();
  std::vector<float> expected;
  double expected_loss = 0;
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    Trainer trainer = make_trainer(everything(implementation), data);
    const std::vector<float> losses = first_losses(trainer, 6);
    const double loss = trainer.evaluate().loss;
    if (expected.empty()) {
      expected = losses;
      expected_loss = loss;
    }
    for (size_t i = 0; i < losses.size(); ++i) CHECK(losses[i] == doctest::Approx(expected[i]).epsilon(1e-4));
    CHECK(loss == doctest::Approx(expected_loss).epsilon(1e-4));
  }
}

TEST_CASE("recipes: each option changes the training") {
  const datasets::Dataset data = colours();
  const auto losses_with = [&](const auto& change) {
    RunConfig config = everything("simd");
    change(config.training);
    Trainer trainer = make_trainer(config, data);
    return first_losses(trainer, 6);
  };
  const std::vector<float> all = losses_with([](Recipe&) {});
  CHECK(all == losses_with([](Recipe&) {}));
  CHECK(all != losses_with([](Recipe& recipe) { recipe.decay_on = ""; }));
  CHECK(all != losses_with([](Recipe& recipe) { recipe.schedule.warmup = 0; }));
  CHECK(all != losses_with([](Recipe& recipe) { recipe.label_smoothing = 0; }));
  CHECK(all != losses_with([](Recipe& recipe) { recipe.clip_norm = 0; }));
  CHECK(all != losses_with([](Recipe& recipe) { recipe.augmentation.flip = false; }));
  CHECK(all != losses_with([](Recipe& recipe) { recipe.augmentation.contrast = 0; }));
  CHECK(all == losses_with([](Recipe& recipe) { recipe.average = 0; }));  // which training does not look at
}

TEST_CASE("recipes: the same bits on one thread and on two, with augmentation") {
  const datasets::Dataset data = colours();
  for (const char* implementation : {"simd", "vanilla"}) {
    CAPTURE(implementation);
    Trainer one = make_trainer(everything(implementation, 1), data),
            two = make_trainer(everything(implementation, 2), data);
    CHECK(first_losses(one, 6) == first_losses(two, 6));
    CHECK(parameter_bytes(one) == parameter_bytes(two));
    CHECK(one.evaluate().loss == two.evaluate().loss);
  }
}

TEST_CASE("streamed images train to the same bits as resident ones, and are evaluated alike") {
  datasets::Dataset data = colours();
  data.train = load("digits32", 90, 1).train;  // the last batch is short
  for (const char* implementation : {"simd", "vanilla"}) {
    CAPTURE(implementation);
    const RunConfig config = everything(implementation);
    const std::shared_ptr<Device> device = Device::open(config.device);
    const ModelInfo& model = find_model(config.model);
    Trainer resident(device, model, config, upload(device, data, model, config.training, config.seed));
    DeviceData streamed_data = upload(device, data, model, config.training, config.seed, 0);
    CHECK_FALSE(streamed_data.train.has(datasets::kImage));
    Trainer streamed(device, model, config, std::move(streamed_data));
    CHECK(first_losses(resident, 8) == first_losses(streamed, 8));
    CHECK(parameter_bytes(resident) == parameter_bytes(streamed));
    CHECK(resident.evaluate().loss == streamed.evaluate().loss);
    streamed.run_steps(2);  // in the middle of an epoch
    resident.run_steps(2);
    CHECK(parameter_bytes(resident) == parameter_bytes(streamed));
    RunConfig full = config;
    full.training.batch_size = 0;
    CHECK_THROWS_WITH_AS(Trainer(device, model, full, upload(device, data, model, full.training, 1, 0)),
                         "--batch-size 0: the training images are streamed, in batches: --batch-size 64", UsageError);
  }
}

TEST_CASE("images are streamed where they would take more than half of the free memory") {
  CHECK(room_for_images(1001) == 500);
  CHECK(room_for_images(0) == 0);
  const std::shared_ptr<Device> device = open("simd");
  const ModelInfo& model = find_model("linear");
  const Recipe& recipe = model.recipes.front();
  datasets::Dataset data = load("digits", 90, 40);
  const auto streams = [&](std::optional<size_t> room) {
    const DeviceData placed = upload(device, data, model, recipe, 1, room);
    for (const DeviceSplit* split : {&placed.train, &placed.test})
      CHECK(split->has(datasets::kImage) != static_cast<bool>(split->streamed));
    return std::pair(placed.train.streamed != nullptr, placed.test.streamed != nullptr);
  };
  CHECK(streams(90 * 784) == std::pair(false, false));
  CHECK(streams(90 * 784 - 1) == std::pair(true, false));
  CHECK(streams(40 * 784) == std::pair(true, false));
  CHECK(streams(40 * 784 - 1) == std::pair(true, true));
  CHECK(streams(0) == std::pair(true, true));
  CHECK(streams({}) == std::pair(false, false));
  // Images of which no machine has half: nothing is read of them here.
  data.train.count = int64_t{1} << 40;
  std::erase_if(data.train.columns, [](const datasets::Column& column) { return column.name == datasets::kLabel; });
  CHECK(streams({}) == std::pair(true, false));
}

TEST_CASE("recipes: an average is evaluated, kept in checkpoints, and goes on bit for bit") {
  const datasets::Dataset data = colours();
  const RunConfig config = everything("simd");
  Trainer whole = make_trainer(config, data);
  run_epochs(whole, 3);

  Trainer first = make_trainer(config, data);
  run_epochs(first, 2);
  const std::vector<HostTensor> checkpoint = checkpoint_of(first, {});
  Trainer second = make_trainer(config, data);
  restore(second, checkpoint, "checkpoint");
  run_epochs(second, 1);
  CHECK(parameter_bytes(whole) == parameter_bytes(second));
  CHECK(whole.evaluate().loss == second.evaluate().loss);

  RunConfig plain = config;
  plain.training.average = 0;
  Trainer without = make_trainer(plain, data);
  run_epochs(without, 3);
  CHECK(parameter_bytes(whole) == parameter_bytes(without));
  CHECK(whole.evaluate().loss != without.evaluate().loss);
  CHECK_THROWS_WITH_AS(restore(without, checkpoint, "checkpoint"), doctest::Contains("checkpoint"), DataError);
}

TEST_CASE("recipes: what does not fit is refused in one line") {
  const datasets::Dataset data = colours();
  const auto refusal = [&](const auto& change) {
    RunConfig config = everything("simd");
    change(config.training);
    try {
      check_config(config);
      make_trainer(config, data);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("it was taken");
  };
  CHECK(refusal([](Recipe&) {}) == "it was taken");
  CHECK(refusal([](Recipe& recipe) { recipe.augmentation.crop = 48; }) ==
        "--crop 48: no window of 48x48 lies in the images of digits32, [3, 32, 32], with --pad 4");
  CHECK(refusal([](Recipe& recipe) { recipe.augmentation.crop = 24; }) ==
        "model cifar-lenet takes images of [3, 32, 32] in 10 classes; data set digits32 has [3, 32, 32], by --crop [3, "
        "24, 24] in 10");
  CHECK(refusal([](Recipe& recipe) { recipe.augmentation.crop = 0; }) ==
        "--pad goes with --crop: the images are padded, and a window of that size is taken");
  CHECK(refusal([](Recipe& recipe) { recipe.decay_on = "fc9.weight"; }) ==
        "--decay-on: the network has no parameter 'fc9.weight'; it has conv1.weight, conv1.bias, conv2.weight, "
        "conv2.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias, fc3.weight, fc3.bias");
  CHECK(refusal([](Recipe& recipe) { recipe.label_smoothing = 1; }) == "--label-smoothing must be in [0, 1), not 1");
  CHECK(refusal([](Recipe& recipe) { recipe.clip_norm = NAN; }) == "--clip-norm must be 0 or more, not nan");
  CHECK(refusal([](Recipe& recipe) { recipe.average = 1.5; }) == "--average must be in [0, 1), not 1.500000");
  CHECK(refusal([](Recipe& recipe) { recipe.augmentation.contrast = 2; }) ==
        "--contrast must be between 0 and 1, not 2");
  CHECK(refusal([](Recipe& recipe) { recipe.augmentation.brightness = 300; }) ==
        "--brightness must be between 0 and 255, not 300");
}

TEST_CASE("settings of Cairn 0.1 are read, with its eigen as simd") {
  nlohmann::json old = {{"model", "dnn"}, {"impl", "eigen"}, {"earlier", {{{"until", 5}, {"impl", "eigen"}}}}};
  CHECK(upgrade(old).find("called eigen there is simd now") != std::string::npos);
  CHECK(old["impl"] == "simd");
  CHECK(old["earlier"][0]["impl"] == "simd");
  RunConfig now;
  now.device.implementation = "eigen";
  nlohmann::json settings = to_json(now);
  CHECK(upgrade(settings).empty());
  CHECK(settings["impl"] == "eigen");
}

}  // namespace cairn::testing
