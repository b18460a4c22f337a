// What a run is stays one record, whatever it is resumed with: config.json says it, `--config` repeats it. Not here:
// kills at random moments (test_kill.cpp), data sets that changed (test_resume_data.cpp).
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

// 40 steps an epoch.
const std::vector<std::string> kLinear = {"--model", "linear",       "--dataset", "digits",    "--impl",
                                          "simd",    "--batch-size", "500",       "--threads", "1"};

Result train(const fs::path& folder, const std::vector<std::string>& arguments) {
  return run(CAIRN_TRAIN, arguments, folder);
}

void must_train(const fs::path& folder, const std::vector<std::string>& arguments) {
  const Result result = train(folder, arguments);
  REQUIRE_MESSAGE(result.code == 0, result.error);
}

// A folder's files, with what would tell that one was written again.
using Files = std::map<std::string, std::pair<std::string, fs::file_time_type>>;
Files files_of(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename()] = {read_file(entry.path()), entry.last_write_time()};
  return files;
}

void check_same_results(const fs::path& one, const fs::path& other) {
  for (const char* name : {"model.safetensors", "best.safetensors", "checkpoint.safetensors"})
    CHECK_MESSAGE(read_file(one / name) == read_file(other / name), name);
  std::ifstream mine(one / "metrics.jsonl"), its(other / "metrics.jsonl");
  std::string line, other_line;
  while (std::getline(mine, line)) {
    REQUIRE(std::getline(its, other_line));
    for (const char* field : {"epoch", "steps", "train_loss", "lr"})
      CHECK(nlohmann::json::parse(line)[field] == nlohmann::json::parse(other_line)[field]);
  }
  CHECK_FALSE(std::getline(its, other_line));
}

// Interrupts a run of thousands of epochs, once it has begun; returns the epochs that r has finished then.
int64_t interrupt(const fs::path& folder, const std::vector<std::string>& arguments) {
  Result result;
  for (int milliseconds = 400; result.code != 130 && milliseconds < 60000; milliseconds *= 2)
    result = run(CAIRN_TRAIN, arguments, folder, "", milliseconds);  // too early it ends the program as it is
  REQUIRE_MESSAGE(result.code == 130, result.error);
  return line_count(read_file(folder / "r/metrics.jsonl"));
}

}  // namespace

TEST_CASE("a run resumed with other settings says so in config.json, and --config repeats it to the bit") {
  const TemporaryFolder folder;
  must_train(folder.path, with(kLinear, {"--epochs", "0", "--steps", "50", "--out", "a"}));  // ends within an epoch
  must_train(folder.path, {"--resume", "a", "--epochs", "3", "--steps", "0", "--lr", "0.3", "--threads", "2"});
  must_train(folder.path, {"--resume", "a", "--epochs", "5", "--schedule", "step:gamma=0.5,size=30", "--impl",
                           "vanilla", "--kernel", "gemm=3", "--shuffle", "false"});
  const nlohmann::json config = config_of(folder.path / "a");
  CHECK(config["epochs"] == 5);
  CHECK(config["steps"] == 0);
  CHECK(config["lr"] == 0.3);
  CHECK(config["impl"] == "vanilla");
  CHECK(config["threads"] == 2);
  REQUIRE(config["earlier"].size() == 2);
  CHECK(config["earlier"][0]["until"] == 50);
  CHECK(config["earlier"][0]["steps"] == 50);
  CHECK(config["earlier"][0]["lr"] != 0.3);
  CHECK_FALSE(config["earlier"][0].contains("threads"));
  CHECK(config["earlier"][1]["until"] == 120);
  CHECK(config["earlier"][1]["impl"] == "simd");
  must_train(folder.path, {"--config", "a/config.json", "--out", "b"});
  check_same_results(folder.path / "a", folder.path / "b");
  CHECK(config_of(folder.path / "b") == config);

  // Killed within an earlier part, the repetition goes on in that part.
  const Result killed =
      run("/bin/sh",
          {"-c",
           "\"$0\" --config a/config.json --save-steps 1 --quiet --out c & until [ -f c/checkpoint.safetensors ]; do "
           "sleep 0.01; done; kill -9 $!; wait $!",
           CAIRN_TRAIN},
          folder.path);
  const Result resumed = train(folder.path, {"--resume", "c"});
  REQUIRE_MESSAGE(resumed.code == 0, resumed.error, killed.error);
  check_same_results(folder.path / "a", folder.path / "c");
}

TEST_CASE("--config repeats runs of every kind, in a folder of its own") {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::string>> runs = {
      {"--model", "linear", "--recipe", "full-batch", "--epochs", "3", "--dataset", "digits", "--impl", "simd"},
      {"--model", "dnn", "--schedule", "inverse:gamma=0.01,power=0.75", "--epochs", "1", "--dataset", "digits",
       "--impl", "vanilla", "--kernel", "gemm=4", "--threads", "2", "--batch-size", "500"},
      {"--model", "mlp-dropout", "--recipe", "adam", "--steps", "7", "--precision", "bf16", "--dataset", "digits",
       "--impl", "simd", "--validation-count", "100", "--drop-last", "true", "--seed", "18446744073709551615"},
      {"--model", "linear", "--steps", "3", "--optimizer", "adamw", "--weight-decay", "0.1", "--lr", "1e-3",
       "--shuffle", "false", "--eval-every", "2"}};
  for (size_t i = 0; i < runs.size(); ++i) {
    CAPTURE(i);
    const std::string out = "run" + std::to_string(i);
    must_train(folder.path, with(runs[i], {"--quiet", "--out", out}));
    const fs::path first = folder.path / out;
    for (int again = 0; again < 2; ++again) {  // at once, so that the time alone does not tell their folders apart
      const Result repeated = train(folder.path, {"--config", out + "/config.json", "--quiet", "--json"});
      REQUIRE_MESSAGE(repeated.code == 0, repeated.error);
      const fs::path second = folder.path / last_line(repeated.out)["run_dir"].get<std::string>();
      CHECK(second != first);
      CHECK(config_of(second) == config_of(first));
      check_same_results(first, second);
    }
  }
}

TEST_CASE("--epochs raised, interrupted, and resumed without flags goes on to the raised number") {
  const TemporaryFolder folder;
  must_train(folder.path, with(kLinear, {"--epochs", "1", "--out", "r"}));
  const int64_t done = interrupt(folder.path, {"--resume", "r", "--epochs", "100000", "--eval-every", "100000"});
  CHECK(done < 100000);
  CHECK(config_of(folder.path / "r")["epochs"] == 100000);
  const Result dry = train(folder.path, {"--resume", "r", "--dry-run"});
  CHECK_MESSAGE(dry.error.find("100000 epochs") != std::string::npos, dry.error);
  const int64_t more = interrupt(folder.path, {"--resume", "r"});
  CHECK(more >= done);
  const std::string epochs = std::to_string(more + 2);
  const Result last = train(folder.path, {"--resume", "r", "--epochs", epochs, "--json"});
  REQUIRE_MESSAGE(last.code == 0, last.error);
  CHECK(last_line(last.out)["epochs"] == more + 2);
  CHECK(last_line(last.out)["steps"] == 40 * (more + 2));
}

TEST_CASE("killed at any moment of a resumption with other flags, config.json and the checkpoint agree") {
  const TemporaryFolder folder;
  must_train(folder.path, with(kLinear, {"--epochs", "2", "--out", "start"}));
  const std::vector<std::string> change = {"--epochs", "6", "--lr", "0.4", "--save-steps", "1", "--quiet"};
  fs::copy(folder.path / "start", folder.path / "peaceful");
  must_train(folder.path, with({"--resume", "peaceful"}, change));
  std::mt19937 random(5);
  for (int round = 0; round < 2; ++round) {
    const std::string out = "r" + std::to_string(round);
    fs::copy(folder.path / "start", folder.path / out);
    int most = 100;  // milliseconds, and more every time, so that the end is reached on the slowest machine
    for (bool done = false; !done; most += most / 4) {
      const bool recorded = config_of(folder.path / out)["lr"] == 0.4;
      CHECK(recorded == config_of(folder.path / out).contains("earlier"));
      const std::vector<std::string> words =
          recorded ? std::vector<std::string>{"--resume", out, "--quiet"} : with({"--resume", out}, change);
      const Result result = run(CAIRN_TRAIN, words, folder.path, "",
                                static_cast<int>(random() % static_cast<unsigned>(most)) + 1, SIGKILL);
      done = result.code == 0;
      CHECK_MESSAGE((done || result.code == -SIGKILL), result.error);
    }
    check_same_results(folder.path / "peaceful", folder.path / out);
    CHECK(config_of(folder.path / "peaceful") == config_of(folder.path / out));
  }
}

TEST_CASE("what cannot change within a run is refused in one line, and nothing is written") {
  const TemporaryFolder folder;
  must_train(folder.path, with(kLinear, {"--epochs", "1", "--steps", "30", "--out", "r"}));
  const Files before = files_of(folder.path / "r");
  const auto refused = [&](const std::vector<std::string>& flags, const std::string& text) {
    const Result result = train(folder.path, with({"--resume", "r"}, flags));
    CHECK(result.code == 2);
    CHECK_MESSAGE(result.error == "train: " + text + "\n", result.error);
    CHECK(files_of(folder.path / "r") == before);
  };
  const std::string rest = ", and that cannot change within a run: start another one";
  refused({"--batch-size", "1000"}, "--batch-size 1000: the run in r has 500" + rest);
  refused({"--batch-size", "0", "--epochs", "9"}, "--batch-size 0: the run in r has 500" + rest);
  refused({"--drop-last", "true"}, "--drop-last true: the run in r has false" + rest);
  refused({"--model", "dnn"}, "--model dnn: the run in r has linear" + rest);
  refused({"--recipe", "sgd"}, "--recipe sgd: the run in r has default" + rest);
  refused({"--optimizer", "adam", "--momentum", "0"}, "--optimizer adam: the run in r has sgd" + rest);
  refused({"--seed", "2"}, "--seed 2: the run in r has 1" + rest);
  refused({"--validation-count", "7"}, "--validation-count 7: the run in r has 0" + rest);
  refused({"--steps", "20"},
          "the run in r has done 30 steps, more than the 20 that --epochs and --steps now allow: name more of them");
  refused({"--earlier", "[{\"until\": 0}]"},
          "--earlier: each part needs an 'until', a step after the last part's; it comes from config.json: "
          "[{\"until\": STEP, \"lr\": 0.1}, ...]");

  refused({"--earlier", "[{\"until\": 7}]"},
          "--earlier: what the run in r had before is in its config.json, and does not change");

  // Changed by hand where the flags would have been refused.
  nlohmann::json config = config_of(folder.path / "r");
  config["batch-size"] = 1000;
  write_file(folder.path / "r/config.json", config.dump());
  const Result result = train(folder.path, {"--resume", "r", "--quiet"});
  CHECK(result.code == 2);
  CHECK_MESSAGE(result.error.find("checkpoint.safetensors counts 40 steps an epoch, which with this data set and "
                                  "--batch-size has 20") != std::string::npos,
                result.error);
}

TEST_CASE("resuming a finished run says that it is finished, and writes none of its files again") {
  const TemporaryFolder folder;
  must_train(folder.path, with(kLinear, {"--epochs", "2", "--out", "r", "--tensorboard"}));
  const Files before = files_of(folder.path / "r");
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{}, {"--epochs", "2"}, {"--lr", "0.5"}, {"--out", "other"}}) {
    const Result result = train(folder.path, with({"--resume", "r"}, flags));
    CHECK(result.code == 0);
    CHECK_MESSAGE(result.error == "r: is finished: all of its 80 steps are done; a higher --epochs makes it longer\n",
                  result.error);
    CHECK(result.out.rfind("test accuracy ", 0) == 0);
  }
  CHECK(files_of(folder.path / "r") == before);
  CHECK_FALSE(fs::exists(folder.path / "other"));

  // Killed after the last checkpoint and before the weights were written, it still gets them.
  const std::string weights = read_file(folder.path / "r/model.safetensors");
  fs::remove(folder.path / "r/model.safetensors");
  must_train(folder.path, {"--resume", "r"});
  CHECK(read_file(folder.path / "r/model.safetensors") == weights);
  must_train(folder.path, with(kLinear, {"--epochs", "1", "--out", "younger"}));
  fs::copy_file(folder.path / "younger/model.safetensors", folder.path / "r/model.safetensors",
                fs::copy_options::overwrite_existing);
  must_train(folder.path, {"--resume", "r"});
  CHECK(read_file(folder.path / "r/model.safetensors") == weights);
}

TEST_CASE("--out with --resume goes on there and leaves the run's folder as it is") {
  const TemporaryFolder folder;
  must_train(folder.path, with(kLinear, {"--epochs", "2", "--out", "r", "--tensorboard"}));
  write_file(folder.path / "r/notes.txt", "mine");
  const Files before = files_of(folder.path / "r");
  must_train(folder.path, {"--resume", "r", "--out", "branch", "--epochs", "4", "--lr", "0.1"});
  CHECK(files_of(folder.path / "r") == before);
  CHECK_FALSE(fs::exists(folder.path / "branch/notes.txt"));
  must_train(folder.path, {"--resume", "r", "--epochs", "4", "--lr", "0.1"});  // the same without --out
  check_same_results(folder.path / "r", folder.path / "branch");
  CHECK(config_of(folder.path / "r") == config_of(folder.path / "branch"));
  int events = 0;
  for (const auto& entry : fs::directory_iterator(folder.path / "branch"))
    events += entry.path().extension() == ".cairn";
  CHECK(events == 2);  // the curves begin where the run did

  must_train(folder.path, {"--resume", "r", "--out", "r", "--epochs", "5"});
  const Result taken = train(folder.path, {"--resume", "r", "--out", "branch", "--epochs", "6", "--quiet"});
  CHECK(taken.code == 2);
  CHECK_MESSAGE(taken.error.find("--out: branch holds a run already") != std::string::npos, taken.error);
}

// The settings that 0.1.0 wrote, and no others.
void rewrite_as_version_0_1(const fs::path& folder) {
  const nlohmann::json now = nlohmann::json::parse(read_file(folder / "config.json"));
  nlohmann::json then;
  for (const char* name : {"autotune",  "batch-size",  "check-hash", "data-dir",    "dataset",  "device",   "drop-last",
                           "epochs",    "eval-every",  "kernel",     "lr",          "model",    "momentum", "optimizer",
                           "precision", "recipe",      "save-every", "save-steps",  "schedule", "seed",     "shuffle",
                           "steps",     "tensorboard", "threads",    "weight-decay"})
    then[name] = now.at(name);
  then["impl"] = "eigen";
  write_file(folder / "config.json", then.dump(2) + "\n");
}

TEST_CASE("a run of Cairn 0.1 goes on and is repeated, its eigen as simd, and one line says so") {
  const TemporaryFolder folder;
  const std::string note = "is of Cairn 0.1; the implementation that was called eigen there is simd now\n";
  must_train(folder.path, with(kLinear, {"--epochs", "1", "--schedule", "constant", "--quiet", "--out", "r"}));
  rewrite_as_version_0_1(folder.path / "r");
  fs::copy(folder.path / "r", folder.path / "later");

  const Result again = train(folder.path, {"--config", "r/config.json", "--quiet", "--out", "again"});
  CHECK(again.code == 0);
  CHECK(again.error == "r/config.json: " + note);
  check_same_results(folder.path / "again", folder.path / "r");
  CHECK(nlohmann::json::parse(read_file(folder.path / "again/config.json"))["impl"] == "simd");

  const Result finished = train(folder.path, {"--resume", "r", "--quiet"});
  CHECK(finished.code == 0);
  CHECK(finished.error.find("r/config.json: " + note) == 0);
  const Result longer = train(folder.path, {"--resume", "later", "--epochs", "2", "--quiet"});
  CHECK(longer.code == 0);
  CHECK(longer.error == "later/config.json: " + note);
  const nlohmann::json settings = nlohmann::json::parse(read_file(folder.path / "later/config.json"));
  CHECK(settings["impl"] == "simd");
  CHECK(settings["crop"] == 0);
  REQUIRE(settings["earlier"].size() == 1);
  CHECK(settings["earlier"][0] == nlohmann::json({{"epochs", 1}, {"until", 40}}));
  must_train(folder.path, with(kLinear, {"--epochs", "2", "--schedule", "constant", "--quiet", "--out", "straight"}));
  check_same_results(folder.path / "later", folder.path / "straight");

  // What is called eigen today is what was asked for.
  const Result now = train(folder.path, with(kLinear, {"--epochs", "1", "--impl", "eigen", "--json", "--out", "new"}));
  CHECK(now.code == 0);
  CHECK(last_line(now.out)["impl"] == "eigen");
  const Result repeated = train(folder.path, {"--config", "new/config.json", "--json", "--quiet"});
  CHECK(repeated.error.empty());
  CHECK(last_line(repeated.out)["impl"] == "eigen");
}

}  // namespace cairn::testing
