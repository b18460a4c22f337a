// Transfer learning from the command line: a backbone's weights in, a head trained, pictures named; and features.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "datasets/file.h"
#include "datasets/numpy.h"
#include "datasets/png.h"
#include "framework/safetensors.h"
#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

// Stripes: of the first class level, of the second upright. Each a little brighter than the one before.
std::string stripes(int label, int i) {
  datasets::Bytes pixels;
  for (int y = 0; y < 48; ++y)
    for (int x = 0; x < 60; ++x)
      for (int channel = 0; channel < 3; ++channel)
        pixels.push_back(static_cast<uint8_t>((label ? x : y) / 6 % 2 ? 200 + 5 * i : 20 + 5 * i));
  const datasets::Bytes file = datasets::encode_png({60, 48, 3, std::move(pixels)});
  return {file.begin(), file.end()};
}

// Two classes, four photos each to train with, two to test on; and weights of a resnet18 that has hardly been trained.
struct StripedPhotos {
  StripedPhotos() {
    for (int label = 0; label < 2; ++label)
      for (int i = 0; i < 6; ++i) {
        const fs::path place = at() / "photos" / (i < 4 ? "train" : "val") / (label ? "upright" : "level");
        fs::create_directories(place);
        write_file(place / (std::to_string(i) + ".png"), stripes(label, i));
      }
    const Result made =
        run(CAIRN_TRAIN, on_photos({"--model", "resnet18:2", "--epochs", "0", "--steps", "2", "--out", "base"}), at());
    REQUIRE_MESSAGE(made.code == 0, made.error);
  }
  static std::vector<std::string> on_photos(const std::vector<std::string>& more) {
    return with({"--dataset", "imagefolder", "--data-dir", "photos", "--impl", "simd", "--batch-size", "4"}, more);
  }
  Result train(const std::vector<std::string>& more) const { return run(CAIRN_TRAIN, on_photos(more), at()); }
  const fs::path& at() const { return folder.path; }
  TemporaryFolder folder;
};

const std::vector<std::string> kTransfer = {"--model", "transfer", "--backbone",   "resnet18", "--weights",
                                            "base",    "--lr",     "0.02",         "--epochs", "200",
                                            "--out",   "run",      "--save-every", "0"};

HostTensor tensor(const fs::path& file, const std::string& name) {
  for (HostTensor& each : read_safetensors(file))
    if (each.name == name) return each;
  return {};
}

std::vector<float> floats(const fs::path& file, const std::string& name) {
  const HostTensor found = tensor(file, name);
  std::vector<float> values(found.bytes.size() / sizeof(float));
  std::memcpy(values.data(), found.bytes.data(), found.bytes.size());
  return values;
}

}  // namespace

TEST_CASE("a head is trained on a backbone's features, and the run recognises pictures") {
  const StripedPhotos photos;
  const fs::path& at = photos.at();
  const Result trained = photos.train(kTransfer);
  REQUIRE_MESSAGE(trained.code == 0, trained.error);
  CHECK_MESSAGE(contains(trained.error, "model transfer-resnet18:2 (recipe default)"), trained.error);
  CHECK(contains(trained.error, "features of all images, once: "));
  CHECK(config_of(at / "run")["model"] == "transfer-resnet18:2");
  CHECK(config_of(at / "run")["freeze"] == "backbone");
  CHECK(last_line(read_file(at / "run/metrics.jsonl"))["test_accuracy"] == 1.0);
  for (const char* still : {"conv1.weight", "layer4.1.bn2.running_var"})
    CHECK(tensor(at / "run/model.safetensors", still).bytes == tensor(at / "base/model.safetensors", still).bytes);

  for (const char* name : {"level", "upright"}) {
    const std::string file = std::string("photos/val/") + name + "/5.png";
    const Result seen = run(CAIRN_PREDICT, {"--weights", "run", "--quiet", file}, at);
    CHECK_MESSAGE(contains(seen.out, file + "  " + name + "  "), seen.out);
  }

  fs::rename(at / "base", at / "gone");  // a checkpoint has the backbone's weights too
  const Result more = run(CAIRN_TRAIN, {"--resume", "run", "--epochs", "201"}, at);
  CHECK_MESSAGE(more.code == 0, more.error);
  CHECK(contains(more.error, "continuing after step 400"));
  const Result on = photos.train({"--model", "transfer-resnet18:2", "--weights", "run", "--unfreeze", "--epochs", "1",
                                  "--lr", "1e-6", "--out", "all"});
  CHECK_MESSAGE(on.code == 0, on.error);
  CHECK(tensor(at / "all/model.safetensors", "conv1.weight").bytes !=
        tensor(at / "run/model.safetensors", "conv1.weight").bytes);
  const std::vector<float> before = floats(at / "run/model.safetensors", "fc.0.weight"),
                           after = floats(at / "all/model.safetensors", "fc.0.weight");
  for (size_t k = 0; k < before.size(); ++k)
    REQUIRE(std::abs(after[k] - before[k]) < 1e-4f);  // its head came along, and two steps changed it little
  CHECK(after != before);
}

TEST_CASE("features of pictures and of folders, as safetensors and as .npy") {
  const StripedPhotos photos;
  const fs::path& at = photos.at();
  const std::vector<std::string> call = {"--weights", "base", "--impl", "simd", "--batch-size", "3"};
  const Result both =
      run(CAIRN_FEATURES,
          with(call, {"--dataset", "imagefolder", "--data-dir", "photos", "--out", "all.safetensors", "--json"}), at);
  REQUIRE_MESSAGE(both.code == 0, both.error);
  const nlohmann::json parts = last_line(both.out)["parts"];
  CHECK(parts[0]["split"] == "train");
  CHECK(parts[0]["images"] == 8);
  CHECK(parts[1]["images"] == 4);
  CHECK(parts[1]["features"] == 512);
  CHECK(tensor(at / "all.safetensors", "train.features").shape == Shape{8, 512});
  const HostTensor test = tensor(at / "all.safetensors", "test.features");
  CHECK(tensor(at / "all.safetensors", "test.labels").shape == Shape{4});

  const Result pictures =
      run(CAIRN_FEATURES, with(call, {"--out", "two.npy", "photos/val/level/4.png", "photos/val/level/5.png"}), at);
  REQUIRE_MESSAGE(pictures.code == 0, pictures.error);
  CHECK(contains(pictures.out, "2 images, 512 features each: "));
  const datasets::Bytes file = datasets::read_file(at / "two.npy");
  const datasets::NpyFile npy(file, "two.npy");
  CHECK(npy.array().shape == std::vector<int64_t>{2, 512});
  const std::span<const std::byte> bytes = std::as_bytes(npy.array().bytes);
  CHECK(std::vector<std::byte>(bytes.begin(), bytes.end()) ==
        std::vector<std::byte>(test.bytes.begin(), test.bytes.begin() + 2 * 512 * 4));

  const Result fake = run(CAIRN_FEATURES, with(call, {"--synthetic", "2"}), at);
  CHECK_MESSAGE(contains(fake.out, "2 images, 512 features each: "), fake.error);
}

TEST_CASE("compare: playground-imagenet tests published weights on folders of photos") {
  const StripedPhotos photos;
  const fs::path& at = photos.at();
  for (const char* part : {"train", "val"}) {  // folders of synsets have ImageNet's thousand classes
    fs::rename(at / "photos" / part / "level", at / "photos" / part / "n01440764");
    fs::rename(at / "photos" / part / "upright", at / "photos" / part / "n01443537");
  }
  const Result made =
      photos.train({"--model", "resnet18", "--epochs", "0", "--steps", "1", "--out", "weights/resnet18", "--quiet"});
  REQUIRE_MESSAGE(made.code == 0, made.error);
  for (const char* other : {"best.safetensors", "checkpoint.safetensors"}) fs::remove(at / "weights/resnet18" / other);
  const Result tested =
      run(CAIRN_COMPARE,
          {"--suite", "playground-imagenet", "--quick", "--impl", "simd", "--out", "c", "--model", "resnet18",
           "--weights-dir", "weights", "--dataset", "imagefolder", "--data-dir", "photos"},
          at);
  REQUIRE_MESSAGE(tested.code == 0, tested.error);
  const nlohmann::json result = last_line(read_file(at / "c/results.jsonl"));
  CHECK(result["images"] == 4);
  CHECK(result["weights"] == "model.safetensors");
  CHECK(result["top5"].get<double>() >= result["top1"].get<double>());
  CHECK(contains(read_file(at / "c/report.md"),
                 "| resnet18 | PyTorch | Apple M1, 4 workers | 50000 | 114 | 439 | 69.8 % | 89.1 % |"));
}

TEST_CASE("transfer learning and features: bad input is one line that says what to do") {
  const StripedPhotos photos;
  const fs::path& at = photos.at();
  const auto refused = [&](const Result& result, const std::string& text) {
    CHECK_MESSAGE(result.code == 2, result.error);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(contains(result.error, text), result.error);
  };
  refused(photos.train({"--model", "transfer"}), "--model transfer needs a --backbone: ");
  refused(photos.train({"--model", "transfer", "--backbone", "dnn"}), "--backbone 'dnn': choose one of ");
  refused(photos.train({"--backbone", "resnet18"}), "--backbone goes with --model transfer");
  refused(photos.train({"--model", "transfer", "--backbone", "resnet18"}),
          "--weights is needed: a file with the trained weights of resnet18");
  refused(photos.train({"--model", "resnet18:2", "--freeze", "half", "--weights", "base"}),
          "unknown part to freeze 'half'");
  refused(photos.train({"--model", "dnn", "--freeze", "backbone", "--weights", "base"}), "model dnn has no backbone");
  refused(photos.train({"--model", "resnet50:2", "--weights", "base", "--quiet"}),
          "as weights of all of resnet50:2 before fc, does not fit: ");
  refused(photos.train(with(kTransfer, {"--weights", "nowhere", "--quiet"})), "nowhere");
  refused(photos.train({"--model", "resnet18:3", "--quiet"}), "model resnet18:3 takes images of");

  const auto features = [&](const std::vector<std::string>& more) {
    return run(CAIRN_FEATURES, with({"--weights", "base", "--quiet"}, more), at);
  };
  refused(features({}), "give pictures, or --dataset, or --synthetic: one of them");
  refused(features({"photos/val/level/4.png"}), "--out is needed: the file to write, .safetensors or .npy");
  refused(features({"--dataset", "imagefolder", "--out", "x.npy"}),
          "x.npy: holds one array: --split train or --split test");
  refused(features({"--synthetic", "-1"}), "--synthetic must be between 1 and 1000000, not -1");
  refused(features({"--synthetic", "1", "--batch-size", "0"}), "--batch-size must be 1 or more, not 0");
  refused(features({"--out", "x.npy", "nowhere.png"}), "nowhere.png");
  CHECK_FALSE(fs::exists(at / "x.npy"));
  write_file(at / "text.png", "text");
  refused(features({"--out", "x.npy", "photos/val/level/4.png", "text.png"}), "text.png: is not a PNG or JPEG file");
}

}  // namespace cairn::testing
