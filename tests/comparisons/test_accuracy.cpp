// One accuracy of one seed is judged by the accuracies that PyTorch has by chance.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "comparisons/accuracy.h"

namespace cairn::comparisons {
namespace {

// How much of Student's t lies between -t and t: its density, summed by Simpson's rule.
double share_between(double t, double freedom) {
  const double constant =
      std::exp(std::lgamma((freedom + 1) / 2) - std::lgamma(freedom / 2)) / std::sqrt(freedom * std::acos(-1.0));
  const auto density = [&](double x) { return constant * std::pow(1 + x * x / freedom, -(freedom + 1) / 2); };
  const int pieces = 20000;
  const double width = t / pieces;
  double sum = density(0) + density(t);
  for (int i = 1; i < pieces; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(i * width);
  return 2 * sum * width / 3;
}

// A case of seed 1, its accuracy by the recorded run, by other seeds and by twins.
ReferenceCase recorded(double own, const std::map<uint64_t, double>& seeds, const std::vector<double>& twins) {
  ReferenceCase reference;
  reference.seed = 1;
  reference.parity_run = "there";
  reference.own_deviation = {1e-7, 0.2};
  ReferenceRun run;
  run.key = "there";
  run.epochs = {{1, 0.2, own}};
  for (const auto& [seed, accuracy] : seeds) run.seeds[seed] = {accuracy};
  for (size_t i = 0; i < twins.size(); ++i) run.twins["moved " + std::to_string(i)] = {twins[i]};
  reference.runs = {run};
  return reference;
}

}  // namespace

TEST_CASE("99 % of Student's t") {
  for (size_t freedom = 1; freedom <= 20; ++freedom) {
    CAPTURE(freedom);
    CHECK(share_between(t_quantile(freedom), static_cast<double>(freedom)) == doctest::Approx(0.99).epsilon(5e-5));
  }
  CHECK(t_quantile(100) == t_quantile(20));
}

TEST_CASE("the interval of one more draw") {
  const std::optional<Spread> spread = spread_of({0.90, 0.91, 0.92, 0.93, 0.94});
  REQUIRE(spread);
  CHECK(spread->mean == doctest::Approx(0.92));
  CHECK(spread->deviation == doctest::Approx(0.0158113883));
  CHECK(spread->low == doctest::Approx(0.92 - 4.604 * 0.0158113883 * std::sqrt(1.2)));
  CHECK(spread->high == doctest::Approx(0.92 + 4.604 * 0.0158113883 * std::sqrt(1.2)));
  CHECK(spread->has(0.85));
  CHECK_FALSE(spread->has(0.83));
  CHECK_FALSE(spread_of({}).has_value());
  CHECK_FALSE(spread_of({0.9, 0.91, 0.92, 0.93}).has_value());
  CHECK(spread_of({1, 1, 1, 1, 0.5})->high == 1);
}

TEST_CASE("within the limit of the recorded accuracy nothing else is asked") {
  const AccuracyCheck check = check_accuracy(recorded(0.95, {}, {}), 1, 0.953, 0.95);
  CHECK(check.verdict() == Verdict::within);
  CHECK(check.verdict_text() == "within");
  CHECK(check.seeds_recorded == 1);
  CHECK_FALSE(check.seeds.has_value());
}

TEST_CASE("beyond it, what other seeds do, or rounding, is no failure") {
  const std::map<uint64_t, double> seeds = {{2, 0.983}, {3, 0.9812}, {4, 0.9851}, {5, 0.978}};
  const ReferenceCase by_seeds = recorded(0.9791, seeds, {});
  AccuracyCheck check = check_accuracy(by_seeds, 1, 0.9845, 0.9791);
  CHECK(check.verdict() == Verdict::as_pytorch_itself);
  CHECK(check.verdict_text() == "within what seeds do");
  CHECK(check.seeds_recorded == 5);
  check = check_accuracy(by_seeds, 1, 0.9600, 0.9791);
  CHECK(check.verdict() == Verdict::beyond);
  CHECK(check.verdict_text() == "BEYOND WHAT SEEDS DO");
  check = check_accuracy(recorded(0.9791, {}, {0.983, 0.9812, 0.9851, 0.978}), 1, 0.9845, 0.9791);
  CHECK(check.verdict() == Verdict::as_pytorch_itself);
  CHECK(check.verdict_text() == "within what rounding does");
}

TEST_CASE("where rounding changes nothing in PyTorch's own, no other seed excuses a difference") {
  const std::map<uint64_t, double> seeds = {{2, 0.9177}, {3, 0.8883}, {4, 0.9172}, {5, 0.9167}};
  ReferenceCase reference = recorded(0.869, seeds, {0.869, 0.8692, 0.869});
  reference.own_deviation = {1e-7, 9e-5};
  AccuracyCheck check = check_accuracy(reference, 1, 0.88, 0.869);
  CHECK(check.verdict() == Verdict::beyond);
  CHECK(check.verdict_text() == "NOT WITHIN");
  reference.runs[0].twins["backwards"] = {0.8694};  // further than a tenth of the limit
  check = check_accuracy(reference, 1, 0.88, 0.869);
  CHECK(check.verdict() == Verdict::as_pytorch_itself);
  CHECK(check.verdict_text() == "within what seeds do");
  reference.runs[0].twins.clear();
  CHECK(check_accuracy(reference, 1, 0.88, 0.869).verdict() == Verdict::beyond);
  reference.own_deviation = {1e-7, 2e-4};
  CHECK(check_accuracy(reference, 1, 0.88, 0.869).verdict() == Verdict::as_pytorch_itself);
}

TEST_CASE("too few seeds say nothing, and that is said") {
  const AccuracyCheck check =
      check_accuracy(recorded(0.9791, {{2, 0.983}, {3, 0.9812}, {4, 0.9851}}, {}), 1, 0.9845, 0.9791);
  CHECK(check.verdict() == Verdict::beyond);
  CHECK(check.verdict_text() == "NOT WITHIN");
  CHECK(check.seeds_recorded == 4);
  CHECK_FALSE(check.seeds.has_value());
}

TEST_CASE("lenet's accuracy after an epoch: what one processor makes of it is no failure on another") {
  const std::vector<ReferenceCase> cases =
      read_references(CAIRN_SOURCE_DIR "/comparisons/references/recorded", "lenet");
  const auto found = std::ranges::find_if(
      cases, [](const ReferenceCase& each) { return each.recipe == "default" && each.dataset == "mnist"; });
  REQUIRE(found != cases.end());
  const AccuracyCheck check = check_accuracy(*found, 1, 0.9845, 0.9791);  // with AVX2; with AVX-512
  CHECK(check.seeds_recorded >= 5);
  CHECK(check.twins_recorded >= 5);
  CHECK(check.verdict() == Verdict::as_pytorch_itself);
  CHECK(check_accuracy(*found, 1, 0.96, 0.9791).verdict() == Verdict::beyond);
}

TEST_CASE("draws are gathered over runs: one a seed, all of the case's own; none of an epoch that was not recorded") {
  ReferenceCase reference = recorded(0.95, {{2, 0.96}, {3, 0.97}}, {0.951});
  ReferenceRun other;
  other.key = "elsewhere";
  other.epochs = {{1, 0.2, 0.952}, {2, 0.1, 0.98}};
  other.seeds = {{3, {0.5, 0.99}}, {4, {0.94, 0.985}}};
  other.twins = {{"double", {0.953, 0.981}}};
  reference.runs.insert(reference.runs.begin(), other);
  AccuracyCheck check = check_accuracy(reference, 1, 0.95, 0.95);
  CHECK(check.seeds_recorded == 4);
  CHECK(check.twins_recorded == 4);
  check = check_accuracy(reference, 2, 0.98, 0.98);
  CHECK(check.seeds_recorded == 3);
  CHECK(check.twins_recorded == 2);
  reference.runs[0].seeds[5] = {0.93};
  check = check_accuracy(reference, 1, 0.95, 0.95);
  REQUIRE(check.seeds);
  CHECK(check.seeds->mean == doctest::Approx((0.95 + 0.96 + 0.97 + 0.94 + 0.93) / 5));
}

}  // namespace cairn::comparisons
