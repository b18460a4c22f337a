// info: what it must tell.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "datasets/png.h"
#include "tests/apps/command.h"

namespace cairn::testing {

TEST_CASE("info names implementations, primitives, models and data sets") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_INFO, {}, folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  for (const char* part :
       {"reference on cpu", "simd on cpu", "eigen on cpu", "vanilla on cpu", "gemm ", "adam ", "vanilla/cpu gemm=1",
        "784-32-32-10; to classify images [1, 28, 28], 26506 parameters", "mlp: ", "814090 parameters",
        "1628170 parameters", "1596426 parameters", "7850 parameters", "fashion-mnist", "digits"})
    CHECK_MESSAGE(result.out.find(part) != std::string::npos, part);
}

TEST_CASE("info prints only what is asked for") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_INFO, {"--models"}, folder.path);
  CHECK(result.code == 0);
  for (const char* part :
       {"26432 multiply-adds", "lenet: ", "61706 parameters, 416520 multiply-adds",
        "lenet-caffe: ", "431080 parameters, 2293000 multiply-adds", "3274634 parameters, 13883904 multiply-adds",
        "856130 parameters, 4293000 multiply-adds", "427210 parameters", "29330 parameters, 316800 multiply-adds",
        "81330 parameters, 1534180 multiply-adds", "325650 parameters, 878000 multiply-adds",
        "recipes: default skoltech skoltech-pytorch", "MaxPool2d", "[20, 24, 24]",
        "deep-3: 3 x 3 convolutions to 3 channels and back; to denoise images [1, 28, 28], 54 parameters, 42336"})
    CHECK_MESSAGE(result.out.find(part) != std::string::npos, part);
  CHECK(result.out.find("Primitives") == std::string::npos);
  CHECK(run(CAIRN_INFO, {"--colour"}, folder.path).code == 2);
}

TEST_CASE("info describes one data set and draws what is in it") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_INFO, {"--dataset", "digits32", "--show", "examples.png"}, folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  for (const char* part : {"digits32: ", "source: drawn in-process from seed 0", "training examples: 20000",
                           "test examples: 4000", "column image: u8 [3, 32, 32]", "column label: i32 []",
                           "channel 2: mean 0.4989, deviation 0.2802", "class 9: 9, "})
    CHECK_MESSAGE(result.out.find(part) != std::string::npos, result.out);
  CHECK(result.out.find("Models") == std::string::npos);
  const datasets::Picture page = datasets::read_picture(folder.path / "examples.png");
  CHECK(page.width == 10 * (64 + 8) + 8);
  CHECK(page.height == 10 * (64 + 14 + 8) + 8);

  const auto refused = [&](const std::vector<std::string>& flags, int code, const char* part) {
    const Result bad = run(CAIRN_INFO, flags, folder.path);
    CHECK(bad.code == code);
    CHECK_MESSAGE(bad.error.find(part) != std::string::npos, bad.error);
    CHECK(std::count(bad.error.begin(), bad.error.end(), '\n') == 1);
  };
  refused({"--dataset", "cifar11"}, 2, "unknown data set 'cifar11': choose one of mnist, ");
  refused({"--dataset", "cifar10", "--data-dir", "."}, 2, "cifar10: data_batch_1.bin is not in ./cifar10");
  refused({"--show", "x.png"}, 2, "--show goes with --dataset");
  refused({"--dataset", "digits", "--show", "none/x.png"}, 2, "none/x.png");
}

TEST_CASE("info draws images as a network sees them: augmented as asked for, the same twice") {
  const TemporaryFolder folder;
  const auto page = [&](const std::vector<std::string>& flags) {
    const Result result = run(CAIRN_INFO, with({"--dataset", "digits32", "--show", "page.png"}, flags), folder.path);
    CHECK_MESSAGE(result.code == 0, result.error);
    return datasets::read_picture(folder.path / "page.png");
  };
  const datasets::Picture stored = page({});
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{{"--flip", "true"},
                                                                                     {"--crop", "32", "--pad", "4"},
                                                                                     {"--brightness", "60"},
                                                                                     {"--contrast", "0.5"},
                                                                                     {"--standardise", "true"}}) {
    CAPTURE(flags);
    const datasets::Picture seen = page(flags);
    CHECK(seen.pixels != stored.pixels);
    CHECK(seen.width == stored.width);
    CHECK(page(flags).pixels == seen.pixels);
    const bool drawn = flags[0] != "--standardise";
    CHECK((page(with(flags, {"--seed", "2"})).pixels != seen.pixels) == drawn);
  }
  CHECK(page({"--crop", "24"}).width == 10 * (48 + 8) + 8);

  const auto refused = [&](const std::vector<std::string>& flags, const char* part) {
    const Result bad = run(CAIRN_INFO, flags, folder.path);
    CHECK(bad.code == 2);
    CHECK(bad.out.empty());
    CHECK_MESSAGE(bad.error.find(part) != std::string::npos, bad.error);
    CHECK(line_count(bad.error) == 1);
    CHECK_FALSE(std::filesystem::exists(folder.path / "bad.png"));
  };
  const std::vector<std::string> bad = {"--dataset", "digits32", "--show", "bad.png"};
  refused(with(bad, {"--crop", "33"}), "--crop 33: no window of 33x33 lies in the images of digits32, [3, 32, 32]");
  refused(with(bad, {"--pad", "4"}), "--pad goes with --crop");
  refused(with(bad, {"--contrast", "2"}), "--contrast must be between 0 and 1, not 2");
  refused({"--dataset", "digits32", "--flip", "true"}, "--standardise go with --show");
}

// Both are the build's own doing: nothing is expected of a machine.
TEST_CASE("the torch plugin is listed and trains, or is missed in one line") {
  const TemporaryFolder folder;
  const Result info = run(CAIRN_INFO, {"--implementations"}, folder.path);
  const Result train = run(CAIRN_TRAIN,
                           {"--impl", "torch", "--device", "cpu", "--model", "dnn", "--dataset", "digits", "--steps",
                            "20", "--epochs", "1", "--json", "--out", "run"},
                           folder.path);
  if (info.out.find("torch on cpu: LibTorch's ATen") == std::string::npos) {
    CHECK(train.code == 2);
    CHECK(line_count(train.error) == 1);
    CHECK(train.error.find("train: implementation 'torch' is a plugin, and cairn-torch.so was not found in ") == 0);
    return;
  }
  CHECK(info.out.find(", LibTorch ") != std::string::npos);
  CHECK_MESSAGE(train.code == 0, train.error);
  CHECK(train.error.find("primitives from elsewhere: ") != std::string::npos);
  CHECK(train.error.find("select_rows (reference), ") != std::string::npos);
  const nlohmann::json summary = last_line(train.out);
  CHECK(summary["impl"] == "torch");
  CHECK(summary["train_loss"] < 2.4);
}

TEST_CASE("info names the plugins that cannot be loaded") {
  const TemporaryFolder folder;
  write_file(folder.path / "cairn-broken.so", "This is no library.\n");
  setenv("CAIRN_PLUGIN_PATH", folder.path.c_str(), 1);
  const Result result = run(CAIRN_INFO, {"--implementations"}, folder.path);
  unsetenv("CAIRN_PLUGIN_PATH");
  CHECK(result.code == 0);
  CHECK(result.out.find("plugin " + (folder.path / "cairn-broken.so").string() + " cannot be loaded: ") !=
        std::string::npos);
}

}  // namespace cairn::testing
