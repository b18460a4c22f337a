// The ladder's calls are those of the networks, its large products are checked, and its rows stand beside the
// library's.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "benchmarks/ladder.h"
#include "benchmarks/layers.h"
#include "benchmarks/sampled_product.h"
#include "framework/error.h"
#include "models/model.h"

namespace cairn::benchmarks {
namespace {

LadderOptions brief() {
  LadderOptions options;
  options.where = "cpu";
  options.threads = 1;
  options.sampling = {1, 1e-4};
  return options;
}

}  // namespace

TEST_CASE("every network has its layers among the ladder's calls, each call once") {
  const std::vector<Case> cases = network_cases();
  std::set<std::pair<std::string, std::string>> calls;
  for (const Case& one : cases) {
    CHECK(calls.insert({one.primitive, case_shape(one)}).second);
    CHECK_FALSE(one.large);
  }
  for (const ModelInfo& model : known_models()) {
    if (takes_photos(model)) continue;
    bool found = false;
    for (const Case& one : cases) found = found || one.use.find(model.name + " ") != std::string::npos;
    CHECK_MESSAGE(found, model.name);
  }
  const std::pair<const char*, const char*> some[] = {
      {"gemm", "64 x 32 x 784 a b^T"},                                  // dnn fc1
      {"gemm", "60000 x 32 x 784 a b^T"},                               // its full batch
      {"conv2d_forward", "64 x 16 x 28 x 28, 32 of 3 x 3 / 2, pad 1"},  // simplecnn conv3
      {"conv2d_backward_data", "100 x 20 x 12 x 12, 100 of 5 x 5"},     // lenet-caffe2 conv2, as published
  };
  for (const auto& call : some) CHECK_MESSAGE(calls.count({call.first, call.second}), call.second);
  // The images themselves need no gradient.
  CHECK_FALSE(calls.count({"conv2d_backward_data", "64 x 1 x 28 x 28, 6 of 5 x 5, pad 2"}));
  CHECK_FALSE(calls.count({"gemm", "64 x 784 x 32"}));
}

TEST_CASE("a large product's oracle knows whole rows and columns, rightly") {
  constexpr int64_t kSize = 130;
  const std::vector<double> sampled = sampled_square(kSize, reals(1), reals(2));
  const std::vector<int64_t> lines = sampled_lines(kSize);
  CHECK(lines.front() == 0);
  CHECK(lines.back() == kSize - 1);
  int64_t known = 0;
  for (int64_t i = 0; i < kSize; ++i)
    for (int64_t j = 0; j < kSize; ++j) {
      const double value = sampled[static_cast<size_t>(i * kSize + j)];
      const bool on_line = std::count(lines.begin(), lines.end(), i) + std::count(lines.begin(), lines.end(), j) > 0;
      CHECK(std::isnan(value) != on_line);
      if (!on_line) continue;
      double sum = 0;
      for (int64_t k = 0; k < kSize; ++k) sum += reals(1)(i * kSize + k) * reals(2)(k * kSize + j);
      CHECK(value == doctest::Approx(sum));
      ++known;
    }
  const auto count = static_cast<int64_t>(lines.size());
  CHECK(known == 2 * count * kSize - count * count);
}

TEST_CASE("rungs and library of a ladder, right and timed") {
  LadderOptions options = brief();
  options.sizes = {33, 520};
  options.rungs = true;
  options.only = "gemm";
  const KernelReport report = run_ladder(options, {});
  std::set<int> rungs;
  for (const KernelRow& row : report.rows) {
    CHECK_MESSAGE(row.wrong == "", row.shape, " ", row.kernel);
    CHECK(row.timing.seconds > 0);
    CHECK(row.library_seconds > 0);
    if (!row.is_library) rungs.insert(row.rung);
  }
  CHECK(rungs == std::set<int>{0, 1, 2, 3, 4, 5, 6, 7, 9});  // the others round
}

TEST_CASE("a convolution of a network beside the library") {
  LadderOptions options = brief();
  options.networks = true;
  options.only = "conv2d";
  options.use = "relunet conv2, batch 64";
  const KernelReport report = run_ladder(options, {});
  REQUIRE(report.rows.size() == 6);
  for (const KernelRow& row : report.rows) {
    CHECK(row.wrong == "");
    CHECK(row.library == "eigen");
  }
  options.once = true;
  options.kernels = "conv2d_forward=2";
  CHECK(run_ladder(options, {}).rows.size() == 3);
}

TEST_CASE("what cannot be a ladder is said") {
  LadderOptions options = brief();
  CHECK_THROWS_WITH_AS(run_ladder(options, {}), doctest::Contains("--networks"), UsageError);
  options.sizes = {0};
  CHECK_THROWS_WITH_AS(run_ladder(options, {}), doctest::Contains("--sizes"), UsageError);
  options.sizes = {8};
  options.kernels = "gemm=2";
  CHECK_THROWS_WITH_AS(run_ladder(options, {}), doctest::Contains("--once"), UsageError);
  options.kernels = "";
  options.implementation = "fast";
  CHECK_THROWS_WITH_AS(run_ladder(options, {}), doctest::Contains("fast"), UsageError);
}

}  // namespace cairn::benchmarks
