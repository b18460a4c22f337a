// Every network's every recipe trains as PyTorch recorded it: the first 10 losses within 1e-5, 100 within 1e-3,
// gradients of the first step within 1e-4. One recipe of each network does so without exception, all 100 steps; of the
// others, where PyTorch's own losses leave these limits by rounding alone, no sooner than those do. Those that take
// long run fewer steps here; `compare --all` runs all of them. What is known to be beyond the limits is listed below by
// name. In double precision there is no such list: every loss within 1e-6, but for the one training in which the
// rounding of doubles grows beyond that, in PyTorch too.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "comparisons/parity.h"
#include "datasets/choose.h"
#include "framework/error.h"
#include "tests/python.h"
#include "tests/sweep.h"
#include "trainers/device_data.h"

namespace cairn::comparisons {
namespace {

constexpr int64_t kRecordedSteps = 100;
constexpr double kAllSteps = 1e15;  // multiply-adds: as many steps as were recorded
constexpr double kSmallShare = 0.2;

int64_t fewest_steps() {
  return testing::small_sweep() ? 3 : 10;
}

// Multiply-adds that a network's training may take.
double budget(double work) {
  return !testing::small_sweep() ? work : std::min(kSmallShare * work, 1e10);
}

// Known to leave the limits, so printed and not asserted: a decision of a ReLU or a pool, or Adam's division by small
// gradients, turns rounding into more than the limits allow, and earlier than in PyTorch's own twins.
struct Beyond {
  const char *implementation, *model, *recipe;
};
constexpr Beyond kBeyond[] = {
    {"simd", "mlp-deep", "adam"},                    // losses up to step 49: 1.4e-2 on digits, 4.6e-3 on MNIST
    {"simd", "relunet", "default"},                  // gradients of step 1: 7.5e-4
    {"simd", "cnn", "benchmark-mnist"},              // losses up to step 10: 2.5e-5
    {"simd", "largenet", "skoltech-pytorch"},        // gradients of step 1: 2.3e-3; with eigen 3.5e-7
    {"vanilla", "lenet-caffe2", "benchmark-mnist"},  // gradients, the same: a ReLU's input of 5e-7
};

bool known_beyond(const std::string& implementation, const ReferenceCase& reference) {
  return std::ranges::any_of(kBeyond, [&](const Beyond& known) {
    return known.implementation == implementation && known.model == reference.model && known.recipe == reference.recipe;
  });
}

const char* text_of(Verdict verdict) {
  return verdict == Verdict::within ? "within" : verdict == Verdict::beyond ? "BEYOND" : "as PyTorch itself";
}

// Multiply-adds of a training step, about: forward, and twice as many backward.
double work_of(const ReferenceCase& reference, int64_t images) {
  static const std::shared_ptr<Device> device = Device::open({.implementation = "reference", .where = "cpu"});
  Initializer initializer(InitRule{}, 1);
  const ModelInfo& model = find_model(reference.model);
  std::vector<LayerSummary> layers;
  model.build(device, initializer, DType::f32)->summarize(model.input, "", layers);
  double work = 0;
  for (const LayerSummary& layer : layers) work += static_cast<double>(layer.macs);
  const int64_t batch = find_recipe(model, reference.recipe).batch_size;
  return 3 * work * static_cast<double>(batch == 0 ? images : batch);
}

bool takes(const ModelInfo& model, const ParityData& data) {
  return fits(network_input(model, model.recipes.front()), data.dataset);
}

// Steps that `work` multiply-adds allow: at least `least`, at most all.
int64_t steps_of(const ReferenceCase& reference, const ParityData& data, double work, double least) {
  const double steps = work / work_of(reference, data.dataset.train.count);
  return static_cast<int64_t>(std::clamp(steps, least, static_cast<double>(kRecordedSteps)));
}

// Compares every recorded case on that data set with as many steps as `work` multiply-adds allow, at least the
// fewest. With `leave_out` a case that cannot have these is left out. Returns how many were compared.
int compare_all(const std::string& implementation, const ParityData& data, double work, bool leave_out,
                DType real = DType::f32) {
  int compared = 0;
  work = budget(work);
  for (const ModelInfo& model : known_models()) {
    if (!takes(model, data)) continue;
    for (const ReferenceCase& reference :
         read_references(CAIRN_SOURCE_DIR "/comparisons/references/recorded", model.name)) {
      if (reference.dataset != data.dataset.name) continue;
      const double steps = work / work_of(reference, data.dataset.train.count);
      if (leave_out && steps < static_cast<double>(fewest_steps())) continue;
      ParityOptions options;
      options.device.implementation = implementation;
      options.device.where = "cpu";
      options.device.threads = 1;
      options.steps = steps_of(reference, data, work, static_cast<double>(fewest_steps()));
      options.epochs = 0;
      options.real = real;
      const ParityResult result = compare_with_reference(reference, data, options);
      ++compared;
      CAPTURE(reference.label());
      CAPTURE(implementation);
      CHECK(result.losses.size() == static_cast<size_t>(options.steps));
      REQUIRE(result.gradients.contains(1));
      CAPTURE(result.gradients.at(1).name);
      if (real == DType::f64) {
        CHECK(result.first.verdict() == Verdict::within);
        CHECK(result.holds());
      } else if (!known_beyond(implementation, reference)) {
        CHECK(result.first.verdict() != Verdict::beyond);
        CHECK(result.all.verdict() != Verdict::beyond);
        CHECK(result.gradients.at(1).deviation <= kFloatLimits.first_gradients);
        CHECK(result.holds());
      }
      MESSAGE(reference.label() << ", " << implementation << ": " << options.steps << " steps, losses "
                                << result.first.deviation << " and " << result.all.deviation << ", gradients "
                                << result.gradients.at(1).deviation << ": " << std::string(text_of(result.verdict())));
    }
  }
  return compared;
}

// For each network a recipe whose rounding stays rounding: there all hundred losses must hold, with no excuse. `work`
// cuts them to what there is time for.
constexpr std::pair<const char*, const char*> kCalm[] = {{"linear", "sgd"},
                                                         {"dnn", "default"},
                                                         {"mlp", "sgd"},
                                                         {"mlp-dropout", "default"},
                                                         {"mlp-wide", "default"},
                                                         {"mlp-deep", "gentle"},
                                                         {"lenet", "gentle"},
                                                         {"lenet-playground", "gentle"},
                                                         {"lenet-caffe", "skoltech"},
                                                         {"lenet-caffe2", "gentle"},
                                                         {"relunet", "skoltech"},
                                                         {"cnn", "gentle"},
                                                         {"simplecnn", "gentle"},
                                                         {"simplenet", "skoltech"},
                                                         {"largenet", "skoltech"},
                                                         {"largenet-1x1", "skoltech"},
                                                         {"cifar-lenet", "gentle"},
                                                         {"cifar-fcn", "gentle"},
                                                         {"cifar-alexnet", "gentle"},
                                                         {"cifar-vgg1", "gentle"},
                                                         {"cifar-vgg2", "gentle"},
                                                         {"cifar-vgg3", "gentle"},
                                                         {"cifar-plain", "gentle"},
                                                         {"cifar-resnet", "gentle"},
                                                         {"cifar-inception", "gentle"},
                                                         {"cifar-inception2", "gentle"},
                                                         {"cifar-vgg", "gentle"},
                                                         {"cifar-tutorial", "gentle"},
                                                         {"resnet20", "gentle"},
                                                         {"resnet56", "gentle"},
                                                         {"imdb-gru", "gentle"},
                                                         {"imdb-gru-start", "gentle"},
                                                         {"imdb-gru-knet", "gentle"}};

// Compares each network's calm recipe. With the small sweep, what `reference` would be long about in double precision
// is left out. Returns how many were compared.
int compare_calm(const std::string& implementation, const ParityData& data, double work = kAllSteps,
                 DType real = DType::f32) {
  const ParityLimits& limits = real == DType::f64 ? kDoubleLimits : kFloatLimits;
  int compared = 0;
  for (const ModelInfo& model : known_models()) {
    if (!takes(model, data)) continue;
    const auto calm = std::ranges::find(kCalm, model.name, [](const auto& each) { return std::string(each.first); });
    REQUIRE_MESSAGE(calm != std::end(kCalm), model.name);
    int found = 0;
    for (const ReferenceCase& reference :
         read_references(CAIRN_SOURCE_DIR "/comparisons/references/recorded", model.name)) {
      if (reference.dataset != data.dataset.name || reference.recipe != calm->second) continue;
      ++found;
      const double least = real == DType::f64 && testing::small_sweep() ? 0 : 2;
      ParityOptions options;
      options.device = {.implementation = implementation, .where = "cpu"};
      options.steps = steps_of(reference, data, budget(work), least);
      if (options.steps < 2) continue;
      ++compared;
      options.epochs = 0;
      options.real = real;
      const ParityResult result = compare_with_reference(reference, data, options);
      CAPTURE(reference.label());
      CAPTURE(implementation);
      CHECK(result.losses.size() == static_cast<size_t>(options.steps));
      CHECK(result.first.deviation <= limits.ten_losses);
      CHECK(result.all.deviation <= limits.hundred_losses);
      CHECK(result.gradients.at(1).deviation <= limits.first_gradients);
      MESSAGE(reference.label() << ", " << implementation << ": " << options.steps << " steps, losses "
                                << result.first.deviation << " and " << result.all.deviation << ", gradients "
                                << result.gradients.at(1).deviation);
    }
    CHECK(found == 1);
  }
  return compared;
}

// Of the cases that may be left out, so many are compared; with the small sweep one.
int least(int count) {
  return testing::small_sweep() ? 1 : count;
}

int recipe_count(const ParityData& data) {
  size_t count = 0;
  for (const ModelInfo& model : known_models())
    if (takes(model, data)) count += model.recipes.size();
  return static_cast<int>(count);
}

const ParityData& digits() {
  static const ParityData data = parity_data(datasets::load_dataset("digits"));
  return data;
}

const ParityData& digits32() {
  static const ParityData data = parity_data(datasets::load_dataset("digits32"));
  return data;
}

}  // namespace

TEST_CASE("recurrent networks train as PyTorch does, on phrases") {
  const ParityData phrases = parity_data(datasets::load_dataset("phrases"));
  compare_calm("simd", phrases, 1e11);
  compare_calm("vanilla", phrases, 1.5e10);
  if (!testing::small_sweep()) CHECK(compare_calm("reference", phrases, 6e9, DType::f64) == 3);
}

TEST_CASE("colour networks train as PyTorch does, the same crops and flips drawn, on digits32") {
  compare_calm("simd", digits32(), 1e11);
  compare_calm("vanilla", digits32(), 1e10);
  CHECK(compare_all("simd", digits32(), 3e10, true) >= least(10));
  CHECK(compare_all("vanilla", digits32(), 5e9, true) >= least(3));
}

TEST_CASE("colour networks train as PyTorch does in double precision, on digits32") {
  CHECK(compare_calm("reference", digits32(), 1e9, DType::f64) >= least(14));
}

TEST_CASE("every network has a recipe whose hundred losses are PyTorch's with simd and vanilla, on digits") {
  compare_calm("simd", digits());
  compare_calm("vanilla", digits());
}

TEST_CASE("simd trains as PyTorch does, on digits") {
  CHECK(compare_all("simd", digits(), 4e9, false) == recipe_count(digits()));
}

TEST_CASE("vanilla trains as PyTorch does, on digits") {
  CHECK(compare_all("vanilla", digits(), 1e9, false) == recipe_count(digits()));
}

TEST_CASE("reference trains as PyTorch does, on digits, where that takes seconds") {
  CHECK(compare_all("reference", digits(), 0.1e9, true) >= least(3));
}

TEST_CASE("reference trains as PyTorch does in double precision, on digits, where that takes seconds") {
  CHECK(compare_all("reference", digits(), 1e9, true, DType::f64) >= least(8));
}

TEST_CASE("torch, where this build has it, trains as PyTorch does, on digits") {
  try {
    Device::open({.implementation = "torch", .where = "cpu"});
  } catch (const Error& error) {
    MESSAGE("skipped: " << std::string(error.what()));
    return;
  }
  compare_calm("torch", digits());
  CHECK(compare_all("torch", digits(), 4e9, false) == recipe_count(digits()));
  CHECK(compare_all("torch", digits(), 4e9, false, DType::f64) == recipe_count(digits()));
}

TEST_CASE("real data: simd trains as PyTorch does, on MNIST") {
  if (std::getenv("CAIRN_DATA") == nullptr) {
    MESSAGE("skipped: CAIRN_DATA is not set");
    return;
  }
  datasets::LoadOptions load;
  load.allow_download = false;
  load.quiet = true;
  const ParityData mnist = parity_data(datasets::load_dataset("mnist", "", load));
  compare_calm("simd", mnist);
  CHECK(compare_all("simd", mnist, 4e9, false) == recipe_count(mnist));
}

TEST_CASE("double precision is asked of who has it, and of recordings that have it") {
  const std::vector<ReferenceCase> cases =
      read_references(CAIRN_SOURCE_DIR "/comparisons/references/recorded", "linear");
  ReferenceCase reference = *std::ranges::find(cases, std::string("digits"), &ReferenceCase::dataset);
  ParityOptions options;
  options.device = {.implementation = "simd", .where = "cpu", .threads = 1};
  options.real = DType::f64;
  CHECK_THROWS_AS(compare_with_reference(reference, digits(), options), UsageError);
  options.device.implementation = "reference";
  reference.in_double = {};
  CHECK_THROWS_AS(compare_with_reference(reference, digits(), options), DataError);
}

TEST_CASE("a wrong number is noticed: a loss, a gradient") {
  const std::vector<ReferenceCase> cases =
      read_references(CAIRN_SOURCE_DIR "/comparisons/references/recorded", "linear");
  const auto found = std::ranges::find(cases, std::string("digits"), &ReferenceCase::dataset);
  REQUIRE(found != cases.end());
  ParityOptions options;
  options.device.implementation = "simd";
  options.device.where = "cpu";
  options.steps = 10;
  REQUIRE(compare_with_reference(*found, digits(), options).holds());
  ReferenceCase changed = *found;
  changed.losses[6] *= 1.00002;
  const ParityResult loss = compare_with_reference(changed, digits(), options);
  CHECK_FALSE(loss.holds());
  CHECK(loss.first.worst == 7);
  changed = *found;
  changed.gradients.at(1)[1].samples[2] += 2e-4 * changed.gradients.at(1)[1].norm;
  const ParityResult gradient = compare_with_reference(changed, digits(), options);
  CHECK_FALSE(gradient.holds());
  CHECK(gradient.gradients.at(1).name == "fc1.bias");
}

TEST_CASE("Python's PyTorch is timed with the whole of a recipe's step, or not at all") {
  if (!testing::has_python_with("numpy, torch")) return;
  CHECK(testing::run_python(CAIRN_SOURCE_DIR "/tests/comparisons/references/timed_steps.py", "",
                            std::filesystem::temp_directory_path()));
}

}  // namespace cairn::comparisons
