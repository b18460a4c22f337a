// Accuracy, and the label among the five likeliest, which networks of more than ten classes are measured by too.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "framework/nn/layers.h"
#include "tests/trainers/support.h"
#include "trainers/run_log.h"

namespace cairn::testing {
namespace {

// A linear network of as many classes as the rows of its weight.
template <int kClasses>
ModelInfo linear_of() {
  return {.name = "linear-" + std::to_string(kClasses),
          .description = "",
          .input = {1, 28, 28},
          .classes = kClasses,
          .build = [](const std::shared_ptr<Device>& device, Initializer& initializer,
                      DType dtype) -> std::shared_ptr<Module> {
            return std::make_shared<Sequential>(std::vector<std::pair<std::string, std::shared_ptr<Module>>>{
                {"flatten", std::make_shared<Flatten>()},
                {"fc1", std::make_shared<Linear>(device, 784, kClasses, initializer, dtype)}});
          },
          .recipes = {}};
}

// Generated digits that are said to be of as many classes.
datasets::Dataset digits_in(int classes, int64_t count) {
  datasets::Dataset data = load("digits", count, count);
  std::vector<int32_t> labels(static_cast<size_t>(count));
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i * 7 % static_cast<size_t>(classes));
  for (datasets::Split* split : {&data.train, &data.test})
    *split = datasets::image_split({1, 28, 28}, split->column(datasets::kImage).bytes, labels);
  data.classes = classes;
  return data;
}

// How many images have their label among the first `top` of the network's logits, sorted here.
int64_t hits(Trainer& trainer, const std::shared_ptr<Device>& device, const datasets::Dataset& data,
             const ModelInfo& model, const Recipe& recipe, int64_t top) {
  const DeviceData on_device = upload(device, data, model, recipe, 0);
  int64_t found = 0;
  const auto count = [&](const Tensor& logits, int64_t begin, int64_t end) {
    const std::vector<float> values = logits.to_host<float>();
    for (int64_t i = begin; i < end; ++i) {
      const float* const row = values.data() + (i - begin) * model.classes;
      std::vector<int32_t> order(static_cast<size_t>(model.classes));
      std::iota(order.begin(), order.end(), 0);
      std::ranges::stable_sort(order, [&](int32_t a, int32_t b) { return row[a] > row[b]; });
      const auto first = order.begin();
      found += std::find(first, first + top, datasets::labels(data.test)[static_cast<size_t>(i)]) != first + top;
    }
  };
  visit_batches(trainer.model(), on_device.test, SampleInput(on_device.pixels, {}), 64, count);
  return found;
}

}  // namespace

TEST_CASE("of more than ten classes the five likeliest count too, in every place that has the accuracy") {
  const ModelInfo model = linear_of<23>();
  const datasets::Dataset data = digits_in(23, 300);
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    RunConfig config = config_for("linear", "default", implementation);
    config.training.epochs = 1;
    config.tensorboard = true;
    const std::shared_ptr<Device> device = Device::open(config.device);
    Trainer trainer(device, model, config, upload(device, data, model, config.training, config.seed));

    const TemporaryFolder folder;
    config.out = folder.path.string();
    RunOptions options;
    options.quiet = true;
    const RunFolder run = RunFolder::create(config.out, config);
    RunLog log(run, config, {}, options);
    log.begin_part(trainer, {config});
    const Trainer::Hooks hooks = log.hooks();
    log.end_epoch(trainer.run_epoch(hooks, kNever), false, false);

    REQUIRE(log.evaluation());
    const Evaluation evaluation = *log.evaluation();
    REQUIRE(evaluation.top5);
    const int64_t top1 = hits(trainer, device, data, model, config.training, 1);
    const int64_t top5 = hits(trainer, device, data, model, config.training, 5);
    CHECK(top1 < top5);
    CHECK(top5 < 300);
    CHECK(evaluation.correct == top1);
    CHECK(*evaluation.top5 == static_cast<double>(top5) / 300);
    nlohmann::json line;
    std::ifstream(folder.path / "metrics.jsonl") >> line;
    CHECK(line["test_top5_accuracy"] == *evaluation.top5);
  }
}

TEST_CASE("of ten classes the five likeliest are not spoken of") {
  const ModelInfo model = linear_of<10>();
  const RunConfig config = config_for("linear", "default", "simd");
  const std::shared_ptr<Device> device = Device::open(config.device);
  Trainer trainer(device, model, config, upload(device, digits_in(10, 100), model, config.training, config.seed));
  CHECK_FALSE(trainer.evaluate().top5);
  const ModelInfo wide = linear_of<11>();
  Trainer wider(device, wide, config, upload(device, digits_in(11, 100), wide, config.training, config.seed));
  CHECK(wider.evaluate().top5);
}

TEST_CASE("an evaluation's batch is as large as its activations allow") {
  const auto rows = [](const char* name, const Shape& batch) {
    const std::shared_ptr<Device> device = Device::open({.implementation = "simd", .where = "cpu"});
    Initializer initializer(InitRule{}, 1);
    return evaluation_rows(*find_model(name).build(device, initializer, DType::f32), batch);
  };
  CHECK(rows("dnn", {1, 1, 28, 28}) == 2000);
  CHECK(rows("cifar-vgg", {7, 3, 32, 32}) == (8 << 20) / (50 * 32 * 32));
  CHECK(rows("imdb-gru", {64, 150}) == (8 << 20) / (150 * 125));
  CHECK(rows("imdb-gru", {64, 70'000}) == 1);
}

}  // namespace cairn::testing
