// A training that is killed at random moments and continued, again and again, ends with the bits of one that was left
// in peace; a disk that fills up, a folder that turns read-only. CAIRN_KILLS: how many kills (default 8).
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "kernels/number.h"
#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSaveSteps = 7;
const std::vector<std::string> kTraining = {"--model",      "dnn", "--dataset",    "digits", "--impl",         "simd",
                                            "--epochs",     "8",   "--threads",    "1",      "--momentum",     "0.9",
                                            "--save-steps", "7",   "--save-every", "1",      "--log-interval", "1"};

// The number after the last `before` in the text, or -1.
int64_t number_after_last(const std::string& text, const std::string& before) {
  const size_t found = text.rfind(before);
  return found == std::string::npos ? -1 : std::atoll(text.c_str() + found + before.size());
}

// The last step that the progress lines tell of: "epoch 2/2  step 17/312  loss ...". -1: none.
int64_t last_step(const std::string& progress) {
  const size_t line = progress.rfind("  step ");
  if (line == std::string::npos) return -1;
  const std::string upto = progress.substr(0, line);
  const int64_t epoch = number_after_last(upto, "epoch "), step = number_after_last(progress, "  step ");
  const int64_t steps = std::atoll(progress.c_str() + progress.find('/', line) + 1);
  return (epoch - 1) * steps + step;
}

}  // namespace

TEST_CASE("killed at random moments, a training loses no more than the last interval and ends with the same bits") {
  const char* asked = std::getenv("CAIRN_KILLS");
  int wanted = 8;
  if (asked) REQUIRE_MESSAGE(read_number(asked, wanted) == nullptr, "CAIRN_KILLS is no whole number: ", asked);
  const TemporaryFolder folder;
  const Result peaceful = run(CAIRN_TRAIN, with(kTraining, {"--out", "peaceful"}), folder.path);
  REQUIRE_MESSAGE(peaceful.code == 0, peaceful.error);

  std::mt19937 random(20);
  int kills = 0, trainings = 0, ignored = 0;
  int64_t worst_loss = 0;
  while (kills < wanted) {
    const std::string out = "killed" + std::to_string(trainings++);
    int64_t reached = 0;
    int most = 700;  // milliseconds, and more every time, so that a machine with much else to do comes to the end
    for (bool done = false; !done; most += 50) {
      const bool begun = fs::exists(folder.path / out / "config.json");
      const std::vector<std::string> place =
          begun ? std::vector<std::string>{"--resume", out, "--log-interval", "1"} : with(kTraining, {"--out", out});
      const Result result =
          run(CAIRN_TRAIN, place, folder.path, "", std::uniform_int_distribution<int>(1, most)(random), SIGKILL);
      if (result.error.find("continuing after step ") != std::string::npos) {
        const int64_t from = number_after_last(result.error.substr(0, result.error.find(" (epoch ")), "after step ");
        CHECK(from >= reached - kSaveSteps);
        worst_loss = std::max(worst_loss, reached - from);
        reached = std::max(reached, from);
      } else if (begun && result.error.find("there is no checkpoint yet") != std::string::npos) {
        CHECK(reached <= kSaveSteps);
      }
      reached = std::max(reached, last_step(result.error));
      done = result.code == 0;
      if (done) continue;
      REQUIRE_MESSAGE(result.code == -SIGKILL, result.error);
      ++(begun || fs::exists(folder.path / out / "config.json") ? kills : ignored);
    }
    for (const char* name : {"model.safetensors", "best.safetensors", "checkpoint.safetensors"})
      CHECK_MESSAGE(read_file(folder.path / out / name) == read_file(folder.path / "peaceful" / name), name);
    std::ifstream metrics(folder.path / out / "metrics.jsonl"), expected(folder.path / "peaceful" / "metrics.jsonl");
    for (std::string line, other; std::getline(expected, other);) {
      REQUIRE(std::getline(metrics, line));
      for (const char* field : {"epoch", "steps", "train_loss", "test_accuracy"})
        CHECK(nlohmann::json::parse(line)[field] == nlohmann::json::parse(other)[field]);
    }
    for (const auto& entry : fs::directory_iterator(folder.path / out))
      CHECK_MESSAGE(entry.path().string().find(".tmp-") == std::string::npos, entry.path().string());
  }
  MESSAGE(kills, " kills in ", trainings, " trainings (and ", ignored, " before a run had begun); at most ", worst_loss,
          " steps were lost");
}

TEST_CASE("a disk that fills up costs neither the last good checkpoint nor, once there is room, the run") {
  const TemporaryFolder folder;
  const std::vector<std::string> training = {"--model", "dnn", "--dataset", "digits", "--impl", "simd"};
  const auto at = [&](const char* out) { return folder.path / out / "checkpoint.safetensors"; };
  REQUIRE(
      run(CAIRN_TRAIN, with(training, {"--epochs", "2", "--schedule", "constant", "--out", "peaceful"}), folder.path)
          .code == 0);
  REQUIRE(run(CAIRN_TRAIN, with(training, {"--epochs", "1", "--schedule", "constant", "--out", "full"}), folder.path)
              .code == 0);
  const std::string good = read_file(at("full"));

  // A limit on the size of files stands in for the disk: it, too, ends a write half-way. 64 KiB hold the metrics only.
  const Result full =
      run("/bin/sh",
          {"-c", "ulimit -f 128; exec \"$@\"", "sh", CAIRN_TRAIN, "--resume", "full", "--epochs", "2", "--quiet"},
          folder.path);
  CHECK_MESSAGE(full.code == 1, full.error);
  CHECK_MESSAGE(line_count(full.error) == 2, full.error);
  CHECK_MESSAGE(full.error.find("cannot be written: File too large; training goes on\n") != std::string::npos,
                full.error);
  CHECK_MESSAGE(full.error.find("train: the training is done but its weights are lost: ") != std::string::npos,
                full.error);
  CHECK(read_file(at("full")) == good);

  const Result room = run(CAIRN_TRAIN, {"--resume", "full", "--epochs", "2"}, folder.path);
  CHECK_MESSAGE(room.code == 0, room.error);
  CHECK(read_file(at("full")) == read_file(at("peaceful")));
}

TEST_CASE("event files that no longer fit on the disk are told of, and the run ends well without them") {
  const TemporaryFolder folder;
  const Result result = run("/bin/sh",
                            {"-c",
                             "ulimit -f 128; exec \"$@\"",
                             "sh",
                             CAIRN_TRAIN,
                             "--model",
                             "linear",
                             "--dataset",
                             "digits",
                             "--impl",
                             "simd",
                             "--batch-size",
                             "8",
                             "--epochs",
                             "1",
                             "--momentum",
                             "0",
                             "--tensorboard",
                             "--quiet",
                             "--out",
                             "r"},
                            folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  CHECK_MESSAGE(result.error.find(".cairn: cannot be written: File too large; training goes on\n") != std::string::npos,
                result.error);
  for (const auto& entry : fs::directory_iterator(folder.path / "r"))
    CHECK((entry.path().extension() != ".cairn" || fs::file_size(entry.path()) == 0));
  CHECK(fs::exists(folder.path / "r" / "model.safetensors"));
}

TEST_CASE("a run folder that vanishes is told in one line, and the training goes on to its end") {
  const TemporaryFolder folder;
  const Result result = run("/bin/sh",
                            {"-c",
                             "( until [ -e r/config.json ]; do sleep 0.01; done; until rm -r r; do :; done ) 2>&- & "
                             "exec \"$0\" --model linear --dataset digits --impl simd --epochs 30 --out r",
                             CAIRN_TRAIN},
                            folder.path);
  CHECK_MESSAGE(result.code == 1, result.error);
  CHECK_MESSAGE(result.error.find("training goes on") != std::string::npos, result.error);
  CHECK_MESSAGE(result.error.find("epoch 30/30") != std::string::npos, result.error);
}

}  // namespace cairn::testing
