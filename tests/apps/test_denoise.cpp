// denoise from the command line: what it prints, its page of images, and what it refuses.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "datasets/png.h"
#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

const std::vector<std::string> kQuick = {"--dataset", "digits", "--impl", "simd", "--quiet"};

void check_refused(const std::vector<std::string>& arguments, const std::string& text) {
  CAPTURE(arguments);
  const TemporaryFolder folder;
  const Result result = run(CAIRN_DENOISE, with(kQuick, arguments), folder.path);
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  CHECK_MESSAGE(result.error.find(text) != std::string::npos, result.error);
  CHECK(std::filesystem::is_empty(folder.path));
}

}  // namespace

TEST_CASE("denoise: a filter, its figures and its page of images") {
  const TemporaryFolder folder;
  const Result result =
      run(CAIRN_DENOISE,
          with(kQuick, {"--filter", "gaussian-learned", "--epochs", "1", "--grid", "page.png", "--json"}), folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(result.error.empty());
  const nlohmann::json summary = last_line(result.out);
  REQUIRE(summary["filters"].size() == 1);
  const nlohmann::json& filter = summary["filters"][0];
  CHECK(filter["filter"] == "gaussian-learned");
  CHECK(filter["parameters"] == 1);
  CHECK(filter["recipe"] == "default");
  CHECK(filter["epochs"] == 1);
  CHECK(filter["test_snr"].get<double>() > filter["noisy_snr"].get<double>());
  CHECK(datasets::read_picture(folder.path / "page.png").width == 16 * 32 + 4);
}

TEST_CASE("denoise: where no published data set is to be had, the generated one that fits stands in") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_DENOISE, {"--filter", "mean", "--impl", "simd", "--json"}, folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK_MESSAGE(result.error.find("using the generated data set 'digits' instead") != std::string::npos, result.error);
  CHECK(last_line(result.out)["dataset"] == "digits");
}

TEST_CASE("denoise: the table names what each filter reached and what was published") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_DENOISE, with(kQuick, {"--filter", "mean"}), folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(result.out.find("mean                       0       0") != std::string::npos);
  CHECK(result.out.find("7.390\n") != std::string::npos);
}

TEST_CASE("denoise: bad input is one line and exit code 2") {
  check_refused({"--filter", "median"}, "unknown filter 'median': choose one of gaussian, mean");
  check_refused({"--filter", "lenet"}, "filter 'lenet': this network is made to classify: ./cairn train --model lenet");
  check_refused({"--recipe", "best"}, "unknown recipe of filter gaussian 'best': choose one of default, playground");
  check_refused({"--grid", "page.png"}, "--grid goes with one --filter");
  check_refused({"--deviation", "0"}, "--deviation must be above 0");
  check_refused({"--deviation", "nan"}, "--deviation: 'nan' is not a number");
  check_refused({"--epochs", "0"}, "--epochs must be between 1 and 1000000, not 0");
  check_refused({"--lr", "-1"}, "--lr must be a number above 0, not -1");
  check_refused({"--batch-size", "0", "--filter", "mean"}, "--batch-size must be between 1 and the");
  check_refused({"--dataset", "faces"}, "faces");
  check_refused({"--dataset", "digits32"},
                "model gaussian takes images of [1, 28, 28]; data set digits32 has [3, 32, 32]");
}

TEST_CASE("denoise: a page that cannot be written is one line") {
  const TemporaryFolder folder;
  const Result result =
      run(CAIRN_DENOISE, with(kQuick, {"--filter", "mean", "--grid", "missing/page.png"}), folder.path);
  CHECK(result.code != 0);
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  CHECK_MESSAGE(result.error.find("missing/page.png") != std::string::npos, result.error);
}

}  // namespace cairn::testing
