// train from the command line: results, files, interruption.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/command.h"
#include "tests/datasets/numpy_files.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kShort = {"--model", "linear",   "--dataset", "digits",    "--impl",
                                         "simd",    "--epochs", "2",         "--threads", "2"};

}  // namespace

TEST_CASE("--json prints one object whose fields a script can rely on") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_TRAIN, with(kShort, {"--json", "--quiet"}), folder.path);
  CHECK(result.code == 0);
  CHECK_MESSAGE(result.error.empty(), result.error);
  CHECK(line_count(result.out) == 1);
  const nlohmann::json summary = last_line(result.out);
  for (const char* field : {"model", "dataset", "impl", "device", "precision", "threads", "seed", "epochs", "steps",
                            "train_loss", "test_loss", "test_accuracy", "train_seconds", "seconds_per_epoch",
                            "images_per_second", "peak_memory_bytes", "run_dir"})
    CHECK_MESSAGE(summary.contains(field), field);
  CHECK(summary["test_accuracy"].get<double>() > 0.3);
  CHECK(summary["epochs"] == 2);
  CHECK(fs::exists(folder.path / summary["run_dir"].get<std::string>() / "model.safetensors"));
}

TEST_CASE("the first command of the README, on generated digits where there is no MNIST") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_TRAIN, {"--model", "dnn", "--impl", "vanilla", "--epochs", "1"}, folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  CHECK_MESSAGE(result.error.find("using the generated data set 'digits' instead") != std::string::npos, result.error);
  CHECK(result.error.find("vanilla on ") != std::string::npos);
  CHECK(result.out.find("test accuracy ") == 0);
}

TEST_CASE("a run's config.json repeats the run, and flags win over it") {
  const TemporaryFolder folder;
  const Result first = run(CAIRN_TRAIN, with(kShort, {"--json", "--out", "a", "--lr", "0.05"}), folder.path);
  REQUIRE_MESSAGE(first.code == 0, first.error);
  const Result again = run(CAIRN_TRAIN, {"--config", "a/config.json", "--json", "--out", "b"}, folder.path);
  REQUIRE_MESSAGE(again.code == 0, again.error);
  CHECK(last_line(first.out)["train_loss"] == last_line(again.out)["train_loss"]);
  const Result changed =
      run(CAIRN_TRAIN, {"--config", "a/config.json", "--json", "--out", "c", "--epochs", "1"}, folder.path);
  CHECK(last_line(changed.out)["epochs"] == 1);
}

TEST_CASE("--tensorboard writes event files, also when the run is repeated or continued, and only then") {
  const TemporaryFolder folder;
  const auto events = [&](const char* out) {
    std::vector<std::string> contents;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path / out))
      if (entry.path().filename().string().find("tfevents") != std::string::npos)
        contents.push_back(read_file(entry.path()));
    return contents;
  };
  const std::vector<std::string> training = {"--model", "linear",   "--dataset", "digits",     "--impl",  "simd",
                                             "--quiet", "--epochs", "1",         "--schedule", "constant"};
  REQUIRE(run(CAIRN_TRAIN, with(training, {"--out", "plain"}), folder.path).code == 0);
  CHECK(events("plain").empty());
  REQUIRE(run(CAIRN_TRAIN, with(training, {"--out", "a", "--tensorboard"}), folder.path).code == 0);
  REQUIRE(events("a").size() == 1);
  for (const char* text : {"brain.Event:2", "train/loss", "test/accuracy", "weights/fc1.weight"})
    CHECK_MESSAGE(events("a")[0].find(text) != std::string::npos, text);
  REQUIRE(run(CAIRN_TRAIN, {"--config", "a/config.json", "--out", "b", "--quiet"}, folder.path).code == 0);
  CHECK(events("b").size() == 1);
  REQUIRE(run(CAIRN_TRAIN, {"--resume", "a", "--epochs", "2", "--quiet"}, folder.path).code == 0);
  CHECK(events("a").size() == 2);
}

TEST_CASE("--steps and --shuffle: a run that ends within an epoch, in stored order, repeated from its config.json") {
  const TemporaryFolder folder;
  const Result first = run(CAIRN_TRAIN,
                           {"--model", "linear", "--dataset", "digits", "--impl", "simd", "--epochs", "0", "--steps",
                            "320", "--shuffle", "false", "--json", "--out", "a"},
                           folder.path);
  REQUIRE_MESSAGE(first.code == 0, first.error);
  CHECK(last_line(first.out)["steps"] == 320);
  CHECK_MESSAGE(first.error.find("in stored order, 320 steps") != std::string::npos, first.error);
  const Result again = run(CAIRN_TRAIN, {"--config", "a/config.json", "--json", "--out", "b"}, folder.path);
  REQUIRE_MESSAGE(again.code == 0, again.error);
  CHECK(last_line(first.out)["train_loss"] == last_line(again.out)["train_loss"]);
  const Result shuffled =
      run(CAIRN_TRAIN, {"--config", "a/config.json", "--shuffle", "true", "--json", "--out", "c"}, folder.path);
  CHECK(last_line(first.out)["train_loss"] != last_line(shuffled.out)["train_loss"]);
  const Result neither = run(CAIRN_TRAIN, {"--model", "linear", "--dataset", "digits", "--epochs", "0"}, folder.path);
  CHECK(neither.code == 2);
  CHECK_MESSAGE(neither.error.find("--epochs must be between 1 and 1000000, not 0") != std::string::npos,
                neither.error);
}

TEST_CASE("Ctrl-C finishes the step, saves and exits 130; the run can be resumed") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_TRAIN,
                            {"--model", "linear", "--dataset", "digits", "--impl", "simd", "--epochs", "5000",
                             "--eval-every", "5000", "--out", "r"},
                            folder.path, "", 1500);
  CHECK_MESSAGE(result.code == 130, result.error);
  CHECK(fs::exists(folder.path / "r" / "checkpoint.safetensors"));
  CHECK(fs::exists(folder.path / "r" / "model.safetensors"));
  const std::string epochs = std::to_string(line_count(read_file(folder.path / "r" / "metrics.jsonl")) + 2);
  const Result resumed =
      run(CAIRN_TRAIN,
          {"--model", "linear", "--dataset", "digits", "--impl", "simd", "--resume", "r", "--epochs", epochs, "--json"},
          folder.path);
  CHECK_MESSAGE(resumed.code == 0, resumed.error);
}

TEST_CASE("a loss that turns nan stops with the step's number and exits 1") {
  const TemporaryFolder folder;
  const Result result = run(
      CAIRN_TRAIN, {"--model", "dnn", "--dataset", "digits", "--impl", "simd", "--lr", "1e30", "--quiet"}, folder.path);
  CHECK(result.code == 1);
  CHECK(line_count(result.error) == 1);
  CHECK_MESSAGE(result.error.find(" at step ") != std::string::npos, result.error);
}

TEST_CASE("--dry-run trains nothing and writes nothing") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_TRAIN, with(kShort, {"--dry-run"}), folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("every model and recipe starts") {
  const TemporaryFolder folder;
  const Result help = run(CAIRN_TRAIN, {"--help"}, folder.path);
  CHECK(help.code == 0);
  struct Case {
    std::string model, recipe;
  };
  for (const Case& each : std::vector<Case>{{"linear", "default"},
                                            {"linear", "full-batch"},
                                            {"linear", "sgd"},
                                            {"dnn", "default"},
                                            {"dnn", "full-batch"},
                                            {"mlp", "default"},
                                            {"mlp", "sgd"},
                                            {"mlp", "adam"},
                                            {"mlp", "adam-l2"},
                                            {"mlp-dropout", "default"},
                                            {"mlp-dropout", "adam"},
                                            {"mlp-wide", "adam"},
                                            {"mlp-deep", "adam"}}) {
    const auto& model = each.model;
    const auto& recipe = each.recipe;
    CAPTURE(model);
    CAPTURE(recipe);
    CHECK(help.out.find("  " + model + ": ") != std::string::npos);
    const Result result =
        run(CAIRN_TRAIN, {"--model", model, "--recipe", recipe, "--dataset", "digits", "--impl", "simd", "--dry-run"},
            folder.path);
    CHECK_MESSAGE(result.code == 0, result.error);
  }
}

TEST_CASE(
    "a thousand classes of small photos: trained with crops and an average, gone on with, tested by its five best") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path / "data/imagenet32");
  constexpr size_t kPixels = 3 * 32 * 32;
  for (const auto& [name, count] : {std::pair("train_data_batch_1", size_t{96}), std::pair("val_data", size_t{40})}) {
    datasets::Bytes pixels(count * kPixels);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i % 251 + i % 5);
    std::vector<int> labels;
    for (size_t i = 0; i < count; ++i) labels.push_back(static_cast<int>(1 + i * 31 % 1000));
    const datasets::Bytes bytes = datasets::make_pickle_batch(pixels, kPixels, labels);
    std::ofstream(folder.path / "data/imagenet32" / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  const std::vector<std::string> call{"--model",      "imagenet-tutorial",
                                      "--recipe",     "benchmark-imagenet",
                                      "--data-dir",   "data",
                                      "--out",        "run",
                                      "--check-hash", "false",
                                      "--impl",       "simd"};
  const Result first = run(CAIRN_TRAIN, with(call, {"--steps", "2"}), folder.path);
  REQUIRE_MESSAGE(first.code == 0, first.error);
  CHECK(first.out.find("top-5") != std::string::npos);
  const Result more = run(CAIRN_TRAIN, {"--resume", "run", "--steps", "4", "--json"}, folder.path);
  REQUIRE_MESSAGE(more.code == 0, more.error);
  CHECK(last_line(more.out)["steps"] == 4);
  CHECK(fs::exists(folder.path / "run/average.safetensors"));
  const Result tested = run(CAIRN_PREDICT,
                            {"--weights", "run", "--dataset", "imagenet32", "--data-dir", "data", "--check-hash",
                             "false", "--batch-size", "8", "--batches", "7", "--json"},
                            folder.path);
  REQUIRE_MESSAGE(tested.code == 0, tested.error);
  CHECK(last_line(tested.out)["images"] == 56);  // forty, and sixteen of them again
  CHECK(last_line(tested.out)["test_top5_accuracy"] >= last_line(tested.out)["test_accuracy"]);
  const Result refused = run(CAIRN_PREDICT, {"--weights", "run", "--batches", "7", "a.png"}, folder.path);
  CHECK(refused.code == 2);
  CHECK(refused.error == "predict: --batches goes with --dataset and a --batch-size\n");
}

}  // namespace cairn::testing
