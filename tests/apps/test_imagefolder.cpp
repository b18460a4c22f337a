// Photos in folders, from the command line: trained on, tested on, looked at.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "datasets/png.h"
#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

// Of one colour, its own for each class, 50 x 40 pixels.
std::string photo(int label) {
  datasets::Bytes pixels;
  for (int pixel = 0; pixel < 50 * 40; ++pixel)
    for (int channel = 0; channel < 3; ++channel)
      pixels.push_back(static_cast<uint8_t>(10 + 24 * ((label + channel * (label % 3)) % 10)));
  const datasets::Bytes file = datasets::encode_png({50, 40, 3, std::move(pixels)});
  return {file.begin(), file.end()};
}

// Ten classes: six photos each to train with, two to test on.
struct Photos {
  Photos() {
    for (int label = 0; label < 10; ++label) {
      for (int i = 0; i < 8; ++i) {
        const fs::path place = folder.path / "photos" / (i < 6 ? "train" : "val") / ("kind" + std::to_string(label));
        fs::create_directories(place);
        write_file(place / (std::to_string(i) + ".png"), photo(label));
      }
    }
    write_file(folder.path / "photos/train/kind0/notes.txt", "x");
  }
  TemporaryFolder folder;
};

const std::vector<std::string> kTrainIt = {"--model",  "cifar-lenet", "--dataset",   "imagefolder",  "--data-dir",
                                           "photos",   "--impl",      "simd",        "--batch-size", "20",
                                           "--epochs", "150",         "--optimizer", "adam",         "--lr",
                                           "0.002",    "--threads",   "2",           "--out",        "run"};

}  // namespace

TEST_CASE("a network is trained on photos in folders, and tested on others") {
  const Photos photos;
  const fs::path& at = photos.folder.path;
  const Result trained = run(CAIRN_TRAIN, kTrainIt, at);
  REQUIRE_MESSAGE(trained.code == 0, trained.error);
  CHECK(contains(trained.error, "imagefolder: 1 in photos/train is no .jpg, .jpeg or .png of a class, and left out"));
  CHECK(contains(trained.error + trained.out, "data set imagefolder: 60 training and 20 test images (photos)"));
  CHECK(config_of(at / "run")["dataset"] == "imagefolder");

  const std::vector<std::string> test = {"--weights", "run",    "--dataset", "imagefolder",  "--data-dir",
                                         "photos",    "--impl", "simd",      "--batch-size", "7"};
  fs::rename(at / "photos/train", at / "elsewhere");  // only the photos to test on are looked at
  const Result tested = run(CAIRN_PREDICT, with(test, {"--json", "--mistakes", "mistakes.png"}), at);
  REQUIRE_MESSAGE(tested.code == 0, tested.error);
  const nlohmann::json report = last_line(tested.out);
  CHECK(report["images"] == 20);
  CHECK(report["batches"] == 3);
  CHECK(report["waiting_seconds"].get<double>() > 0);
  CHECK(report["confusion"][4].size() == 10);
  const nlohmann::json last = last_line(read_file(at / "run/metrics.jsonl"));
  CHECK(report["test_accuracy"].get<double>() == doctest::Approx(last["test_accuracy"].get<double>()));
  CHECK(report["test_accuracy"].get<double>() > 0.9);
  const Result text = run(CAIRN_PREDICT, test, at);
  CHECK(contains(text.out, "s of waiting for files"));

  CHECK(read_file(at / "run/classes.txt").substr(0, 12) == "kind0\nkind1\n");
  const Result one = run(CAIRN_PREDICT, {"--weights", "run", "--quiet", "photos/val/kind7/6.png"}, at);
  CHECK_MESSAGE(contains(one.out, "photos/val/kind7/6.png  kind7  "), one.out);
  write_file(at / "run/classes.txt", "kind0\n");
  const Result few = run(CAIRN_PREDICT, {"--weights", "run", "--quiet", "photos/val/kind7/6.png"}, at);
  CHECK(few.error == "predict: run/classes.txt: names 1 classes, and the network has 10\n");

  fs::remove(at / "run/classes.txt");
  write_file(at / "photos/val/kind3/7.png", "hello");
  const Result damaged = run(CAIRN_PREDICT, with(test, {"--quiet"}), at);
  CHECK(damaged.code == 2);
  CHECK_MESSAGE(damaged.error == "predict: photos/val/kind3/7.png: is not a PNG or JPEG file\n", damaged.error);
}

TEST_CASE("a run on photos goes on only with the same photos") {
  const Photos photos;
  const fs::path& at = photos.folder.path;
  const Result begun = run(CAIRN_TRAIN, with(kTrainIt, {"--quiet", "--epochs", "1"}), at);
  REQUIRE_MESSAGE(begun.code == 0, begun.error);
  const Result more = run(CAIRN_TRAIN, {"--resume", "run", "--epochs", "2", "--quiet"}, at);
  CHECK_MESSAGE(more.code == 0, more.error);
  write_file(at / "photos/train/kind2/another.png", photo(2));
  const Result other = run(CAIRN_TRAIN, {"--resume", "run", "--epochs", "3", "--quiet"}, at);
  CHECK(other.code == 2);
  CHECK(contains(other.error, "imagefolder (photos) holds other examples or labels than the run's settings have"));
}

TEST_CASE("info looks at folders of photos") {
  const Photos photos;
  const fs::path& at = photos.folder.path;
  const Result told = run(CAIRN_INFO, {"--dataset", "imagefolder", "--data-dir", "photos", "--show", "page.png"}, at);
  REQUIRE_MESSAGE(told.code == 0, told.error);
  CHECK(contains(told.out, "training examples: 60"));
  CHECK(contains(told.out, "class 9: kind9, 6 training and 2 test examples"));
  CHECK(contains(told.out, "channel 2: mean 0."));
  CHECK(datasets::read_picture(at / "page.png").width > 224);
  const Result none = run(CAIRN_INFO, {"--dataset", "imagefolder", "--data-dir", "nowhere"}, at);
  CHECK(none.code == 2);
  CHECK(contains(none.error, "imagefolder: train and val are not in nowhere/imagefolder: the photos are yours"));
  CHECK(line_count(none.error) == 1);
}

}  // namespace cairn::testing
