// Whole runs: the files they leave, resuming, the summary.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/safetensors.h"
#include "tests/trainers/support.h"
#include "trainers/run.h"
#include "trainers/run_folder.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> file_bytes(const fs::path& path) {
  std::vector<std::byte> bytes(fs::file_size(path));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

}  // namespace

TEST_CASE("a run leaves its settings, metrics and weights") {
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = true;
  RunConfig settings = short_run(folder.path, 3);
  settings.train_accuracy = true;
  const RunResult result = run_training(settings, options);
  CHECK_FALSE(result.interrupted);
  CHECK(result.summary["epochs"] == 3);
  CHECK(result.summary["steps"] == 3 * 40);
  CHECK(result.summary["impl"] == "simd");
  CHECK(result.summary["run_dir"] == folder.path.string());
  CHECK(result.summary["test_accuracy"].get<double>() > 0.3);

  std::ifstream metrics(folder.path / "metrics.jsonl");
  int lines = 0;
  for (std::string line; std::getline(metrics, line);) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    CHECK(entry["epoch"] == ++lines);
    CHECK(entry.contains("test_accuracy"));
    CHECK(entry["train_accuracy"].get<double>() > 0.1);
  }
  CHECK(lines == 3);

  const std::vector<HostTensor> weights = read_safetensors(folder.path / "model.safetensors");
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].name == "fc1.weight");
  CHECK(weights[0].shape == Shape{10, 784});
  CHECK(weights[1].name == "fc1.bias");

  nlohmann::json config;
  std::ifstream(folder.path / "config.json") >> config;
  CHECK(config["batch-size"] == 500);
  CHECK(config["dataset"] == "digits");
  CHECK(config["train-accuracy"] == true);
}

TEST_CASE("a resumed run ends with the bits of one that was never stopped") {
  const TemporaryFolder whole;
  RunOptions options;
  options.quiet = true;
  const RunConfig uninterrupted = short_run(whole.path / "a", 4);
  run_training(uninterrupted, options);

  RunConfig first = short_run(whole.path / "b", 2);
  run_training(first, options);
  options.resume = (whole.path / "b").string();
  const RunResult result = run_training(short_run("", 4), options);
  CHECK(result.summary["steps"] == 4 * 40);
  CHECK(file_bytes(whole.path / "a" / "model.safetensors") == file_bytes(whole.path / "b" / "model.safetensors"));
  CHECK(file_bytes(whole.path / "a" / "checkpoint.safetensors") ==
        file_bytes(whole.path / "b" / "checkpoint.safetensors"));
  CHECK(file_bytes(whole.path / "a" / "best.safetensors") == file_bytes(whole.path / "b" / "best.safetensors"));
}

TEST_CASE("a run that was left in the middle of an epoch reports the whole epoch after resuming") {
  const TemporaryFolder whole;
  RunOptions options;
  options.quiet = true;
  const RunResult uninterrupted = run_training(short_run(whole.path / "a", 2), options);

  // A run of which only the checkpoint after step 60 of 80 is left.
  RunConfig config = short_run(whole.path / "b", 2);
  config.save_steps = 20;
  config.save_every = 0;
  std::atomic<bool> stop{false};
  {
    const std::shared_ptr<Device> device = Device::open(config.device);
    Trainer trainer = make_trainer(config, load("digits", 20000, 10));
    const RunFolder folder = RunFolder::create(config.out, config);
    folder.write_config(to_json(config));
    Trainer::Hooks hooks;
    hooks.save_interval = 20;
    hooks.save = [&] {
      folder.save_checkpoint(trainer, {});
      stop = trainer.steps_done() == 60;
    };
    trainer.run_epoch(hooks, stop);
    folder.append_metrics({{"epoch", 1}});
    CHECK(trainer.run_epoch(hooks, stop).interrupted);
    folder.append_metrics({{"epoch", 2}, {"from", "the future"}});
  }
  options.resume = (whole.path / "b").string();
  const RunResult resumed = run_training(config, options);
  CHECK(resumed.summary["steps"] == 80);
  CHECK(resumed.summary["epochs"] == 2);
  CHECK(resumed.summary["train_loss"] == uninterrupted.summary["train_loss"]);
  CHECK(file_bytes(whole.path / "a" / "model.safetensors") == file_bytes(whole.path / "b" / "model.safetensors"));
  std::ifstream metrics(whole.path / "b" / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(metrics, line);) lines.push_back(nlohmann::json::parse(line));
  REQUIRE(lines.size() == 2);
  CHECK(lines[1]["epoch"] == 2);
  CHECK(lines[1]["train_loss"] == uninterrupted.summary["train_loss"]);
}

TEST_CASE("a run of so many steps leaves its cut epoch's line, and can be made longer") {
  const TemporaryFolder whole;
  RunOptions options;
  options.quiet = true;
  const auto run_of = [&](const fs::path& out, int64_t steps) {
    RunConfig config = short_run(out, 0);
    config.training.steps = steps;
    return config;
  };
  const auto metrics = [](const fs::path& folder) {
    std::vector<nlohmann::json> lines;
    std::ifstream file(folder / "metrics.jsonl");
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  };
  const RunResult result = run_training(run_of(whole.path / "a", 100), options);  // of 40 an epoch
  CHECK(result.summary["steps"] == 100);
  CHECK(result.summary["epochs"] == 2);
  CHECK(result.summary["seconds_per_epoch"].get<double>() > 0);
  REQUIRE(metrics(whole.path / "a").size() == 3);
  CHECK(metrics(whole.path / "a")[2]["steps"] == 100);
  CHECK(metrics(whole.path / "a")[2].contains("test_accuracy"));
  nlohmann::json settings;
  std::ifstream(whole.path / "a" / "config.json") >> settings;
  CHECK(settings["steps"] == 100);
  CHECK(settings["epochs"] == 0);
  CHECK(settings["shuffle"] == true);

  run_training(run_of(whole.path / "b", 90), options);
  options.resume = (whole.path / "b").string();
  const auto written = fs::last_write_time(whole.path / "b" / "checkpoint.safetensors");
  run_training(run_of("", 90), options);  // nothing is left to do, and nothing is lost
  CHECK(fs::last_write_time(whole.path / "b" / "checkpoint.safetensors") == written);
  CHECK(metrics(whole.path / "b").size() == 3);
  const RunResult longer = run_training(run_of("", 100), options);
  CHECK(longer.summary["train_loss"] == result.summary["train_loss"]);
  REQUIRE(metrics(whole.path / "b").size() == 3);
  CHECK(metrics(whole.path / "b")[2]["train_loss"] == metrics(whole.path / "a")[2]["train_loss"]);
  for (const char* file : {"model.safetensors", "checkpoint.safetensors"})
    CHECK(file_bytes(whole.path / "a" / file) == file_bytes(whole.path / "b" / file));
}

TEST_CASE("a convolutional network with dropout and Adam continues with the same bits within its last epoch") {
  const TemporaryFolder whole;
  RunConfig config = config_for("cnn", "benchmark-mnist", "simd");
  config.training.batch_size = 16;
  config.training.steps = 9;
  const datasets::Dataset digits = load("digits", 100, 10);  // seven steps an epoch, the last one short
  const auto continued_after = [&](int64_t steps) {
    std::vector<HostTensor> checkpoint;
    std::atomic<bool> stop{false};
    {
      Trainer trainer = make_trainer(config, digits);
      Trainer::Hooks hooks;
      hooks.save_interval = 1;
      hooks.save = [&] {
        if (trainer.steps_done() != steps) return;
        checkpoint = checkpoint_of(trainer, {});
        stop = true;
      };
      while (!stop && trainer.steps_done() < trainer.total_steps()) trainer.run_epoch(hooks, stop);
    }
    Trainer trainer = make_trainer(config, digits);
    if (!checkpoint.empty()) restore(trainer, checkpoint, "memory");
    CHECK(trainer.steps_done() == (checkpoint.empty() ? 0 : steps));
    while (trainer.steps_done() < trainer.total_steps()) trainer.run_epoch({}, kNever);
    CHECK(trainer.steps_done() == 9);
    CHECK(trainer.losses().size() == 2);
    return parameter_bytes(trainer);
  };
  const std::vector<std::byte> expected = continued_after(0);
  CHECK(continued_after(3) == expected);
  CHECK(continued_after(8) == expected);
}

TEST_CASE("a folder that holds a run, or is being written, is not written into") {
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = true;
  run_training(short_run(folder.path / "a", 1), options);
  const std::vector<std::byte> weights = file_bytes(folder.path / "a" / "model.safetensors");
  const std::string path = (folder.path / "a").string();
  CHECK_THROWS_WITH_AS(
      run_training(short_run(path, 2), options),
      ("--out: " + path + " holds a run already: continue it with --resume " + path + ", or name another folder")
          .c_str(),
      UsageError);
  const FolderLock held(path);
  options.resume = path;
  CHECK_THROWS_WITH_AS(run_training(short_run("", 2), options),
                       (path + ": another process is writing in this folder").c_str(), IoError);
  CHECK(file_bytes(folder.path / "a" / "model.safetensors") == weights);
}

TEST_CASE("what a killed run left half-written goes away when the run is continued") {
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = true;
  run_training(short_run(folder.path, 1), options);
  std::ofstream(folder.path / "checkpoint.safetensors.tmp-123-4") << "half";
  options.resume = folder.path.string();
  run_training(short_run("", 2), options);
  CHECK_FALSE(fs::exists(folder.path / "checkpoint.safetensors.tmp-123-4"));
}

TEST_CASE("a run of another model is not continued, nor a checkpoint of another put into it") {
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = true;
  run_training(short_run(folder.path, 1), options);
  options.resume = folder.path.string();
  RunConfig other = short_run("", 2);
  other.model = "dnn";
  CHECK_THROWS_WITH_AS(run_training(other, options),
                       ("--model dnn: the run in " + options.resume +
                        " has linear, and that cannot change within a run: start another one")
                           .c_str(),
                       UsageError);
  const RunConfig dnn = config_for("dnn", "default", "simd");
  Trainer trainer = make_trainer(dnn, load("digits", 100, 10));
  CHECK_THROWS_AS(restore(trainer, read_safetensors(folder.path / "checkpoint.safetensors"), "it"), DataError);
}

TEST_CASE("a dry run writes nothing") {
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = options.dry_run = true;
  const RunResult result = run_training(short_run(folder.path, 3), options);
  CHECK(result.summary["steps"] == 0);
  CHECK_FALSE(fs::exists(folder.path));
}

}  // namespace cairn::testing
