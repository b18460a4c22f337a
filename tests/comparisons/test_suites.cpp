// The suites as data, against the recipes that they name, and the plan that a call makes of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "comparisons/run.h"
#include "comparisons/suites.h"
#include "framework/error.h"
#include "models/model.h"

namespace cairn::comparisons {

TEST_CASE("every suite names networks and recipes that exist, of the length that its tables end with") {
  for (const Suite& suite : known_suites()) {
    CAPTURE(suite.name);
    for (const Network& network : suite.networks) {
      CAPTURE(network.model);
      const Recipe& recipe = find_recipe(find_model(network.model), network.recipe);
      if (recipe.steps == 0) {
        CHECK(recipe.epochs == network.marks.back());
      } else {
        const int64_t images = (suite.datasets[0] == "cifar10" ? 50000 : 60000) - recipe.validation_count;
        const int64_t per_epoch = (images + recipe.batch_size - 1) / recipe.batch_size;
        CHECK((recipe.steps + per_epoch - 1) / per_epoch == network.marks.back());
      }
      for (const std::vector<int64_t>& marks : {network.marks, network.quick_marks}) {
        CHECK(std::ranges::is_sorted(marks));
        for (const int64_t mark : marks) CHECK(mark % network.eval_every == 0);
      }
    }
  }
}

TEST_CASE("published figures belong to networks, data sets and columns of their suite, and rise with the epochs") {
  for (const Suite& suite : known_suites()) {
    CHECK(suite.published.empty() == (suite.name == "benchmark-imagenet"));  // whose figures are of something else
    for (const PublishedCurve& curve : suite.published) {
      CAPTURE(curve.model);
      const auto network = std::ranges::find_if(suite.networks, [&](const Network& each) {
        return each.model == curve.model && (curve.recipe.empty() || each.recipe == curve.recipe);
      });
      REQUIRE(network != suite.networks.end());
      CHECK((std::ranges::count(suite.networks, curve.model, &Network::model) == 1 || !curve.recipe.empty()));
      CHECK(std::ranges::count(suite.datasets, curve.dataset) == 1);
      double seconds = 0;
      for (const PublishedPoint& point : curve.points) {
        CHECK(std::ranges::count(network->marks, point.epoch) == 1);
        REQUIRE(point.accuracy);
        CHECK(*point.accuracy > (curve.dataset == "cifar10" ? 30 : 70));
        CHECK(*point.accuracy < 100);
        if (curve.by == "MXNet's curve") continue;  // which has no times
        REQUIRE(point.seconds);
        CHECK(*point.seconds > seconds);
        seconds = *point.seconds;
      }
    }
  }
  // Of the cuDNN program against its PyTorch twin: as the publication's plots have them.
  const Suite& skoltech = find_suite("skoltech");
  CHECK(skoltech.published.size() == 16);
  CHECK(std::ranges::count(skoltech.published, true, &PublishedCurve::training_accuracy) == 8);
}

TEST_CASE("a training is called by its network, and by its recipe where the suite has several") {
  CHECK(curve_name(find_suite("skoltech"), "relunet", "skoltech") == "relunet");
  CHECK(curve_name(find_suite("cifar-frameworks"), "cifar-vgg", "knet") == "cifar-vgg-knet");
  for (const Suite& suite : known_suites()) {
    std::set<std::string> names;
    for (const Network& network : suite.networks)
      CHECK(names.insert(curve_name(suite, network.model, network.recipe)).second);
  }
}

TEST_CASE("an unknown suite is told with the choices") {
  CHECK_THROWS_WITH_AS(find_suite("imagenet"),
                       "unknown suite 'imagenet': choose one of skoltech, nmist, benchmark-mnist, cifar-frameworks, "
                       "playground-cifar, benchmark-imagenet, imdb-frameworks, resnet50-features, playground-imagenet",
                       UsageError);
}

TEST_CASE("a plan has one training for each network, data set and implementation, the first one's all at the front") {
  SuiteOptions options;
  options.implementations = {"simd", "vanilla", "simd"};
  options.datasets = {"digits"};
  options.quick = true;
  options.seed = 7;
  const Suite& suite = find_suite("nmist");
  const std::vector<RunConfig> plan = plan_suite(suite, options);
  REQUIRE(plan.size() == 4);
  CHECK(plan[1].device.implementation == "simd");
  CHECK(plan[1].model == "dnn");
  CHECK(plan[2].device.implementation == "vanilla");
  for (const RunConfig& config : plan) {
    CHECK(config.seed == 7);
    CHECK(config.training.validation_count == 20000 - suite.quick_examples);
    CHECK(config.training.batch_size == 0);
  }
  CHECK(plan[0].training.epochs == 20);

  // Where somebody published accuracies of the training images, ours are counted too.
  Suite counted = suite;
  counted.published = {
      {.model = "dnn", .dataset = "digits", .by = "somebody", .device = "not stated", .training_accuracy = true}};
  CHECK(plan_suite(counted, options)[1].train_accuracy);
  CHECK_FALSE(plan_suite(counted, options)[0].train_accuracy);
  CHECK_FALSE(plan[1].train_accuracy);

  options.quick = false;
  CHECK(plan_suite(suite, options)[1].training.epochs == 500);
  CHECK(plan_suite(suite, options)[1].training.validation_count == 0);

  options.implementations = {};  // all but the oracle
  std::set<std::string> names;
  for (const RunConfig& config : plan_suite(suite, options)) names.insert(config.device.implementation);
  CHECK(names.count("simd") == 1);
  CHECK(names.count("vanilla") == 1);
  CHECK(names.count("reference") == 0);
}

TEST_CASE("a plan is refused before anything is trained") {
  SuiteOptions options;
  options.datasets = {"digits"};
  const Suite& suite = find_suite("nmist");
  options.implementations = {"mkl"};
  CHECK_THROWS_AS(plan_suite(suite, options), UsageError);
  options.implementations = {"simd"};
  options.threads = -1;
  CHECK_THROWS_AS(plan_suite(suite, options), UsageError);
  options.threads = 0;
  options.datasets = {"letters"};
  CHECK_THROWS_AS(plan_suite(suite, options), UsageError);
}

}  // namespace cairn::comparisons
