// The live comparison: what it says without the torch plugin, and where the plugin was built the networks beside their
// twins. Not here: the plugin's loading (tests/kernels/plugins), its primitives (the kernel tests).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <set>

#include "comparisons/live.h"
#include "framework/error.h"
#include "kernels/registry.h"

namespace cairn::comparisons {
namespace {

bool has_torch() {
  const std::vector<std::string> plugins = plugin_names();
  const bool found = std::ranges::find(plugins, "torch") != plugins.end();
  if (!found) std::printf("skipped: this build has no torch plugin\n");
  return found;
}

LiveOptions options_for(const ModelInfo& model, const Recipe& recipe, const std::string& implementation) {
  LiveOptions options{.steps = 6};
  options.run.model = model.name;
  options.run.recipe = recipe.name;
  options.run.training = recipe;
  options.run.dataset = takes_texts(model) ? "phrases" : model.input[0] == 3 ? "digits32" : "digits";
  options.run.device = {.implementation = implementation, .where = "cpu", .threads = 2};
  return options;
}

LiveResult result_of(std::vector<float> cairn, std::vector<float> twin) {
  LiveResult result;
  result.losses[0] = std::move(cairn);
  result.losses[1] = std::move(twin);
  return result;
}

}  // namespace

TEST_CASE("live: deviations and verdicts") {
  std::vector<float> losses(100, 2.0f), other = losses;
  CHECK(within_tolerance(result_of(losses, other)));
  other[9] = 2.0001f;
  CHECK(result_of(losses, other).loss_deviation(9) == 0);
  CHECK(result_of(losses, other).loss_deviation(10) == doctest::Approx(5e-5).epsilon(0.01));
  CHECK_FALSE(within_tolerance(result_of(losses, other)));
  std::swap(other[9], other[10]);
  CHECK(within_tolerance(result_of(losses, other)));
  CHECK(text(result_of(losses, other)).find("first 100 steps: at most 5.0e-05 apart, within 1e-03") !=
        std::string::npos);
  other[99] = 2.01f;
  CHECK_FALSE(within_tolerance(result_of(losses, other)));
  CHECK(text(result_of(losses, other)).find("NOT within 1e-03") != std::string::npos);
  other[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(within_tolerance(result_of(losses, other)));
}

TEST_CASE("live: without the plugin one line says what is missing") {
  if (has_torch()) return;
  const ModelInfo& model = find_model("linear");
  try {
    run_live(options_for(model, model.recipes.front(), "simd"));
    FAIL("there is no plugin");
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()).find("implementation 'torch' is a plugin, and cairn-torch.so was not found in ") ==
          0);
  }
}

TEST_CASE("live: what the twin does not do is refused in one line, before it is looked for") {
  const ModelInfo& model = find_model("linear");
  const auto refusal = [&](const auto& change) {
    LiveOptions options = options_for(model, model.recipes.front(), "simd");
    change(options.run.training);
    try {
      run_live(options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  const std::string text =
      "--live trains without augmentation, --label-smoothing, --clip-norm, --average and --decay-on; recipe default "
      "has "
      "some of them";
  CHECK(refusal([](Recipe& recipe) { recipe.augmentation.flip = true; }) == text);
  CHECK(refusal([](Recipe& recipe) { recipe.augmentation.standardise = true; }) == text);
  CHECK(refusal([](Recipe& recipe) { recipe.label_smoothing = 0.1; }) == text);
  CHECK(refusal([](Recipe& recipe) { recipe.clip_norm = 1; }) == text);
  CHECK(refusal([](Recipe& recipe) { recipe.average = 0.9; }) == text);
  CHECK(refusal([](Recipe& recipe) { recipe.decay_on = "fc1.weight"; }) == text);
}

namespace {

// By one recipe for each kind of optimizer.
void check_beside_twin(const ModelInfo& model) {
  std::set<std::pair<OptimizerKind, bool>> kinds;  // with and without weight decay
  for (const Recipe& recipe : model.recipes) {
    if (recipe.augmentation.any()) continue;
    if (recipe.batch_size == 0 || !kinds.emplace(recipe.optimizer, recipe.weight_decay > 0).second) continue;
    for (const char* implementation : {"simd", "torch"}) {
      CAPTURE(model.name);
      CAPTURE(recipe.name);
      CAPTURE(implementation);
      const LiveResult result = run_live(options_for(model, recipe, implementation));
      CHECK(result.losses[0].size() == 6);
      CHECK(result.losses[1].size() == 6);
      CHECK_MESSAGE(result.loss_deviation(10) <= kFirstTenTolerance, text(result));
      // Small tensors move by much of their size where a ReLU or a pool decides otherwise for a rounding.
      CHECK_MESSAGE(result.weight_deviation <= 2e-3, text(result));
      CHECK(result.ratio > 0);
    }
  }
}

}  // namespace

TEST_CASE("live: every network of images and kind of optimizer stays with its twin") {
  if (!has_torch()) return;
  for (const ModelInfo& model : known_models())
    if (!takes_texts(model) && !takes_photos(model)) check_beside_twin(model);
}

TEST_CASE("live: every network of texts and kind of optimizer stays with its twin") {
  if (!has_torch()) return;
  for (const ModelInfo& model : known_models())
    if (takes_texts(model)) check_beside_twin(model);
}

}  // namespace cairn::comparisons
