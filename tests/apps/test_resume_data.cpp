// A run stays with the data that it was trained on, unless other data were asked for by name; then that is recorded.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

std::string four_bytes(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

// A data set in MNIST's format: as many images of noise, and half as many to test on.
void write_noise(const fs::path& folder, uint32_t count, unsigned seed) {
  std::mt19937 random(seed);
  for (const auto& [name, images] : {std::pair("train", count), std::pair("t10k", count / 2)}) {
    std::string pixels = four_bytes(2051) + four_bytes(images) + four_bytes(28) + four_bytes(28);
    std::string labels = four_bytes(2049) + four_bytes(images);
    for (uint32_t i = 0; i < images * 784; ++i) pixels += static_cast<char>(random());
    for (uint32_t i = 0; i < images; ++i) labels += static_cast<char>(random() % 10);
    write_file(folder / (std::string(name) + "-images-idx3-ubyte"), pixels);
    write_file(folder / (std::string(name) + "-labels-idx1-ubyte"), labels);
  }
}

const std::vector<std::string> kNoiseRun = {"--model", "linear",   "--impl", "simd",         "--batch-size",
                                            "50",      "--epochs", "2",      "--check-hash", "false"};

}  // namespace

TEST_CASE("a run whose data set is gone or another is not continued with whatever is there") {
  const TemporaryFolder folder;
  write_noise(folder.path / "data/mnist", 200, 1);
  const Result first = run(CAIRN_TRAIN, with(kNoiseRun, {"--out", "r"}), folder.path);  // the default data set
  REQUIRE_MESSAGE(first.code == 0, first.error);
  CHECK(config_of(folder.path / "r")["dataset"] == "mnist");
  CHECK(config_of(folder.path / "r")["data-sha256"].get<std::string>().size() == 64);
  const std::string checkpoint = read_file(folder.path / "r/checkpoint.safetensors");
  const auto refused = [&](const std::vector<std::string>& words, const std::string& part) {
    const Result result = run(CAIRN_TRAIN, with(words, {"--quiet"}), folder.path);
    CHECK(result.code == 2);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(contains(result.error, part), result.error);
    CHECK(read_file(folder.path / "r/checkpoint.safetensors") == checkpoint);
    CHECK_FALSE(config_of(folder.path / "r").contains("earlier"));
  };
  fs::rename(folder.path / "data", folder.path / "elsewhere");
  refused({"--resume", "r", "--epochs", "4"}, "could not be downloaded");
  refused({"--config", "r/config.json"}, "could not be downloaded");

  const std::string other = "holds other examples or labels than the run's settings have (sha256 ";
  write_noise(folder.path / "data/mnist", 200, 2);  // as many, of the same shape
  refused({"--resume", "r", "--epochs", "4"}, other);
  refused({"--config", "r/config.json"}, other);
  std::string labels = read_file(folder.path / "elsewhere/mnist/t10k-labels-idx1-ubyte");
  labels.back() = static_cast<char>((labels.back() + 1) % 10);  // one label of one test image
  fs::remove_all(folder.path / "data");
  fs::copy(folder.path / "elsewhere", folder.path / "data", fs::copy_options::recursive);
  write_file(folder.path / "data/mnist/t10k-labels-idx1-ubyte", labels);
  refused({"--resume", "r", "--epochs", "4"}, other);

  const Result found =
      run(CAIRN_TRAIN, {"--resume", "r", "--epochs", "4", "--data-dir", "elsewhere", "--json"}, folder.path);
  REQUIRE_MESSAGE(found.code == 0, found.error);
  CHECK(last_line(found.out)["epochs"] == 4);
  CHECK(config_of(folder.path / "r")["data-dir"] == "elsewhere");
}

TEST_CASE("another data set that was asked for by name is recorded, and the run can be repeated") {
  const TemporaryFolder folder;
  write_noise(folder.path / "one/mnist", 200, 1);
  write_noise(folder.path / "two/mnist", 200, 2);
  write_noise(folder.path / "two/fashion-mnist", 200, 3);
  write_noise(folder.path / "small/mnist", 120, 4);
  REQUIRE(run(CAIRN_TRAIN, with(kNoiseRun, {"--data-dir", "one", "--out", "r"}), folder.path).code == 0);

  const Result smaller =
      run(CAIRN_TRAIN, {"--resume", "r", "--epochs", "9", "--data-dir", "small", "--dataset", "mnist", "--quiet"},
          folder.path);
  CHECK(smaller.code == 2);
  CHECK_MESSAGE(contains(smaller.error,
                         "counts 4 steps an epoch, which with this data set and --batch-size has 3: start "
                         "another run"),
                smaller.error);

  const Result content =
      run(CAIRN_TRAIN, {"--resume", "r", "--epochs", "3", "--data-dir", "two", "--dataset=mnist"}, folder.path);
  REQUIRE_MESSAGE(content.code == 0, content.error);
  CHECK_MESSAGE(contains(content.error, "r: trained on mnist so far, and now on other examples: mnist\n"),
                content.error);
  const Result name = run(CAIRN_TRAIN, {"--resume", "r", "--epochs", "5", "--dataset", "fashion-mnist"}, folder.path);
  REQUIRE_MESSAGE(name.code == 0, name.error);
  CHECK_MESSAGE(contains(name.error, "r: trained on mnist so far, and now on other examples: fashion-mnist\n"),
                name.error);

  const nlohmann::json config = config_of(folder.path / "r");
  CHECK(config["dataset"] == "fashion-mnist");
  CHECK(config["data-dir"] == "two");
  REQUIRE(config["earlier"].size() == 2);
  CHECK(config["earlier"][0]["data-dir"] == "one");
  CHECK(config["earlier"][0]["dataset"] == "mnist");
  CHECK(config["earlier"][1]["dataset"] == "mnist");
  CHECK(config["earlier"][0]["data-sha256"] != config["earlier"][1]["data-sha256"]);
  const Result again = run(CAIRN_TRAIN, {"--config", "r/config.json", "--out", "again", "--quiet"}, folder.path);
  REQUIRE_MESSAGE(again.code == 0, again.error);
  for (const char* file : {"model.safetensors", "checkpoint.safetensors"})
    CHECK(read_file(folder.path / "again" / file) == read_file(folder.path / "r" / file));

  const Result silent = run(CAIRN_TRAIN, {"--resume", "r", "--epochs", "6", "--quiet"}, folder.path);
  CHECK_MESSAGE(silent.code == 0, silent.error);
  const Result changed =
      run(CAIRN_TRAIN, {"--config", "again/config.json", "--dataset", "mnist", "--out", "m", "--quiet"}, folder.path);
  CHECK_MESSAGE(changed.code == 0, changed.error);
  CHECK(config_of(folder.path / "m")["data-sha256"] == config["earlier"][1]["data-sha256"]);
}

}  // namespace cairn::testing
