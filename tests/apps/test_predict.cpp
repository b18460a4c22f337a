// predict from the command line: pictures and data sets, text and JSON, and what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/digits.h"
#include "datasets/png.h"
#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

std::string text_of(const datasets::Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

// A run to predict with: trained once for all tests.
const fs::path& trained() {
  static const TemporaryFolder folder;
  static const fs::path run_folder = [] {
    const Result result = run(CAIRN_TRAIN,
                              {"--model", "dnn", "--dataset", "digits", "--impl", "simd", "--epochs", "2", "--threads",
                               "2", "--quiet", "--out", "run"},
                              folder.path);
    REQUIRE_MESSAGE(result.code == 0, result.error);
    return folder.path / "run";
  }();
  return run_folder;
}

std::vector<std::string> arguments(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"--weights", trained(), "--impl", "simd", "--threads", "1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void check_refused(const std::vector<std::string>& flags, const std::vector<std::string>& parts,
                   const fs::path& folder) {
  CAPTURE(flags);
  const Result result = run(CAIRN_PREDICT, flags, folder);
  CHECK(result.code == 2);
  CHECK_MESSAGE(result.out.empty(), result.out);
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  for (const std::string& part : parts) CHECK_MESSAGE(result.error.find(part) != std::string::npos, result.error);
}

}  // namespace

TEST_CASE("predict names the digit in each picture, as text and as JSON") {
  const TemporaryFolder folder;
  std::vector<std::string> files;
  std::vector<int> labels;
  for (uint32_t i = 0; i < 20; ++i) {
    datasets::Bytes pixels(784);
    labels.push_back(datasets::draw_digit(0, datasets::DigitsSplit::kTest, i, pixels));
    files.push_back("digit" + std::to_string(i) + ".png");
    write_file(folder.path / files.back(), digit_png(i));
  }
  std::vector<std::string> flags = arguments({"--json", "--quiet", "--top", "4", "--batch-size", "8"});
  flags.insert(flags.end(), files.begin(), files.end());
  const Result result = run(CAIRN_PREDICT, flags, folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK_MESSAGE(result.error.empty(), result.error);
  CHECK(line_count(result.out) == 1);
  const nlohmann::json summary = last_line(result.out);
  for (const char* field : {"model", "weights", "impl", "device", "precision", "threads", "images", "batch_size",
                            "batches", "seconds", "median_batch_seconds", "images_per_second", "predictions"})
    CHECK_MESSAGE(summary.contains(field), field);
  CHECK(summary["model"] == "dnn");
  CHECK(summary["batches"] == 3);
  CHECK(summary["median_batch_seconds"].get<double>() > 0);
  int right = 0;
  REQUIRE(summary["predictions"].size() == 20);
  for (size_t i = 0; i < 20; ++i) {
    const nlohmann::json& prediction = summary["predictions"][i];
    CHECK(prediction["file"] == files[i]);
    REQUIRE(prediction["top"].size() == 4);
    CHECK(prediction["top"][0]["class"] == prediction["class"]);
    CHECK(prediction["top"][0]["probability"] == prediction["probability"]);
    right += prediction["class"] == labels[i];
  }
  CHECK(right >= 12);  // two epochs of a small network

  const Result shown = run(CAIRN_PREDICT, arguments({"--show", files[0]}), folder.path);
  CHECK(shown.code == 0);
  CHECK(line_count(shown.out) == 28 + 1);
  CHECK(shown.out.find("██") != std::string::npos);
  CHECK(shown.out.find("digit0.png  " + summary["predictions"][0]["class"].dump() + "  ") != std::string::npos);
  CHECK(shown.error.find("model dnn from ") == 0);
  CHECK(shown.error.find(" images/s") != std::string::npos);
}

TEST_CASE("what is doubtful about a picture stands in its line and in JSON") {
  const TemporaryFolder folder;
  datasets::Picture bar{60, 60, 1, datasets::Bytes(3600, 255)};
  std::fill(bar.pixels.begin() + 25 * 60, bar.pixels.begin() + 35 * 60 - 20, uint8_t{0});
  write_file(folder.path / "bar.png", text_of(datasets::encode_png(bar)));
  const Result text = run(CAIRN_PREDICT, arguments({"--quiet", "bar.png"}), folder.path);
  CHECK(text.code == 0);
  const std::string doubts = "   doubtful: reaches the edge of the picture; wider than a digit\n";
  CHECK_MESSAGE(text.out.ends_with(doubts), text.out);

  const Result json = run(CAIRN_PREDICT, arguments({"--quiet", "--json", "bar.png"}), folder.path);
  REQUIRE_MESSAGE(json.code == 0, json.error);
  CHECK(last_line(json.out)["predictions"][0]["doubts"] ==
        nlohmann::json({"reaches the edge of the picture", "wider than a digit"}));
}

TEST_CASE("photo_check without photos prints no rates, and refuses fewer than none") {
  const TemporaryFolder folder;
  const auto check = [&](const char* photos) {
    return run(CAIRN_PHOTO_CHECK, {"--weights", trained(), "--source", "strokes", "--photos", photos, "--empty", "1"},
               folder.path);
  };
  const Result none = check("0");
  CHECK_MESSAGE(none.code == 0, none.error);
  CHECK(none.out == "empty                1 photos  1 said to be blank\n");
  const Result one = check("1");
  CHECK_MESSAGE(one.code == 0, one.error);
  CHECK_MESSAGE(one.out.find("all                  1 photos  ") != std::string::npos, one.out);
  const Result fewer = check("-1");
  CHECK(fewer.code == 2);
  CHECK(fewer.error == "photo_check: --photos must be between 0 and 1000000, not -1\n");
}

TEST_CASE("predict tests a network on a data set and draws its worst mistakes") {
  const TemporaryFolder folder;
  const Result result =
      run(CAIRN_PREDICT, arguments({"--dataset", "digits", "--json", "--quiet", "--mistakes", "mistakes.png"}),
          folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(result.error.empty());
  const nlohmann::json summary = last_line(result.out);
  CHECK(summary["images"] == 4000);
  CHECK(summary["test_accuracy"].get<double>() > 0.5);
  CHECK(summary["confusion"].size() == 10);
  CHECK(summary["mistakes"].size() == 64);
  CHECK(summary["correct"].get<double>() / 4000 == doctest::Approx(summary["test_accuracy"].get<double>()));
  CHECK(datasets::read_picture(folder.path / "mistakes.png").width == 8 * 64 + 8);

  const Result text = run(CAIRN_PREDICT, arguments({"--dataset", "digits"}), folder.path);
  CHECK(text.code == 0);
  for (const char* part :
       {"accuracy ", "right class (down)", "worst mistakes of ", "was taken for", " images/s, median "})
    CHECK_MESSAGE(text.out.find(part) != std::string::npos, part);
}

TEST_CASE("a bad picture is one line, and the others are recognised") {
  const TemporaryFolder folder;
  const std::string good = digit_png(3);
  write_file(folder.path / "good.png", good);
  write_file(folder.path / "text.png", "hello");
  write_file(folder.path / "short.png", good.substr(0, good.size() / 2));
  std::string damaged = good;
  damaged[50] ^= 1;
  write_file(folder.path / "damaged.png", damaged);
  std::string huge = good;  // 100,000 x 100,000, and the header's checksum for it
  huge.replace(16, 17, std::string("\x00\x01\x86\xA0\x00\x01\x86\xA0\x08\x00\x00\x00\x00\x8D\x39\x54\x14", 17));
  write_file(folder.path / "huge.png", huge);
  write_file(folder.path / "blank.png", text_of(datasets::encode_png({28, 28, 1, datasets::Bytes(784, 255)})));
  for (const auto& [file, reason] :
       std::vector<std::pair<std::string, std::string>>{{"text.png", "is not a PNG or JPEG file"},
                                                        {"short.png", "is cut short"},
                                                        {"damaged.png", "checksum (CRC)"},
                                                        {"huge.png", "100000 x 100000 pixels"},
                                                        {"blank.png", "is blank"},
                                                        {"absent.png", "No such file"}}) {
    check_refused(arguments({"--quiet", file}), {"predict: " + file + ": ", reason}, folder.path);
    const Result both = run(CAIRN_PREDICT, arguments({"--quiet", "--json", file, "good.png"}), folder.path);
    CHECK(both.code == 2);
    CHECK(line_count(both.error) == 1);
    CHECK(last_line(both.out)["predictions"].size() == 1);
  }
}

TEST_CASE("predict refuses flags and weights that make no sense") {
  const TemporaryFolder folder;
  write_file(folder.path / "good.png", digit_png(3));
  write_file(folder.path / "not.safetensors", "hello");
  write_file(folder.path / "empty/note", "");
  fs::copy_file(trained() / "model.safetensors", folder.path / "bare.safetensors");
  const auto refused = [&](std::vector<std::string> flags, const std::vector<std::string>& parts) {
    flags.insert(flags.end(), {"--quiet", "--impl", "simd"});
    check_refused(flags, parts, folder.path);
  };
  const std::string run_folder = trained();
  refused({"good.png"}, {"--weights is needed"});
  refused({"--weights", run_folder}, {"give pictures", "--dataset"});
  refused({"--weights", run_folder, "good.png", "--dataset", "digits"}, {"one of them"});
  refused({"--weights", run_folder, "good.png", "--mistakes", "m.png"}, {"--mistakes goes with --dataset"});
  refused({"--weights", run_folder, "--dataset", "digits", "--show"}, {"--show goes with pictures"});
  refused({"--weights", run_folder, "good.png", "--top", "0"}, {"--top"});
  refused({"--weights", run_folder, "good.png", "--batch-size", "-1"}, {"--batch-size"});
  refused({"--weights", run_folder, "good.png", "--threads", "-1"}, {"--threads"});
  refused({"--weights", run_folder, "good.png", "--model", "cnm"}, {"unknown model 'cnm'", "linear, dnn, mlp"});
  refused({"--weights", run_folder, "good.png", "--wieghts", "x"}, {"--wieghts", "--weights"});
  refused({"--weights", run_folder, "--dataset", "letters"}, {"unknown data set 'letters'", "mnist"});
  refused({"--weights", run_folder, "--dataset", "digits", "--mistakes", "none/m.png"}, {"none/m.png"});
  refused({"--weights", "absent", "--model", "dnn", "good.png"}, {"absent", "No such file"});
  refused({"--weights", "empty", "good.png"}, {"empty: has no model.safetensors"});
  refused({"--weights", "not.safetensors", "--model", "dnn", "good.png"}, {"not.safetensors: has 5 bytes"});
  refused({"--weights", "bare.safetensors", "good.png"}, {"--model is needed"});
  refused({"--weights", "bare.safetensors", "--model", "mlp", "good.png"},
          {"bare.safetensors", "as weights of mlp", "fc1.weight is f32[32, 784] there and f32[1024, 784] here",
           "'fc3.weight' is unknown here"});
  const Result good =
      run(CAIRN_PREDICT, {"--weights", "bare.safetensors", "--model", "dnn", "--trained-on", "digits", "good.png"},
          folder.path);
  CHECK_MESSAGE(good.code == 0, good.error);
}

// A picture of one colour with a lighter square in it; alpha is that of its right half.
std::string picture(int64_t width, int64_t height, int64_t channels, int alpha = 255) {
  datasets::Picture drawn{width, height, channels, {}};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t channel = 0; channel < channels; ++channel) {
        const bool square = std::abs(2 * x - width) < width / 2 && std::abs(2 * y - height) < height / 2;
        const auto value = channel == 3 ? (x < width / 2 ? 255 : alpha) : square ? 230 : 40 + 50 * channel;
        drawn.pixels.push_back(static_cast<uint8_t>(value));
      }
  return text_of(datasets::encode_png(drawn));
}

TEST_CASE("predict with a colour network takes pictures of any size and kind, and calls classes by their names") {
  const TemporaryFolder folder;
  const Result trained_run = run(CAIRN_TRAIN,
                                 {"--model", "cifar-lenet", "--dataset", "digits32", "--impl", "simd", "--steps", "60",
                                  "--epochs", "1", "--threads", "2", "--quiet", "--out", "run"},
                                 folder.path);
  REQUIRE_MESSAGE(trained_run.code == 0, trained_run.error);
  write_file(folder.path / "colour.png", picture(32, 32, 3));
  write_file(folder.path / "large.png", picture(301, 200, 3));
  write_file(folder.path / "small.png", picture(5, 9, 3));
  write_file(folder.path / "grey.png", picture(32, 32, 1));
  write_file(folder.path / "opaque.png", picture(32, 32, 4));
  write_file(folder.path / "alpha.png", picture(32, 32, 4, 90));
  const std::vector<std::string> files = {"colour.png",
                                          "large.png",
                                          "small.png",
                                          "grey.png",
                                          "opaque.png",
                                          "alpha.png",
                                          CAIRN_SOURCE_DIR "/fuzz/corpus/jpeg/cmyk"};
  const std::vector<std::string> weights = {"--weights", "run", "--impl", "simd", "--quiet"};
  const Result result = run(CAIRN_PREDICT, with(with(weights, {"--json"}), files), folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(result.error.empty());
  const nlohmann::json summary = last_line(result.out);
  CHECK(summary["model"] == "cifar-lenet");
  REQUIRE(summary["predictions"].size() == files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    CHECK(summary["predictions"][i]["file"] == files[i]);
    CHECK(summary["predictions"][i]["doubts"].empty());
    CHECK(summary["predictions"][i]["probability"].get<double>() > 0);
  }

  // An image of the network's size is what it is: with an alpha that hides nothing too, and else on white.
  CHECK(summary["predictions"][4]["top"] == summary["predictions"][0]["top"]);
  CHECK(summary["predictions"][5]["top"] != summary["predictions"][0]["top"]);
  CHECK(summary["predictions"][3]["top"] != summary["predictions"][0]["top"]);

  // The names of the set that the network was trained on; the same weights, said to be CIFAR-10's, have its names.
  const Result text = run(CAIRN_PREDICT, with(weights, {"colour.png"}), folder.path);
  CHECK(text.out.find("colour.png  " + summary["predictions"][0]["name"].get<std::string>() + "  ") == 0);
  const Result named =
      run(CAIRN_PREDICT, with(weights, {"--trained-on", "cifar10", "--top", "10", "alpha.png"}), folder.path);
  REQUIRE_MESSAGE(named.code == 0, named.error);
  for (const char* name : {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"})
    CHECK_MESSAGE(named.out.find(name) != std::string::npos, named.out);
  const Result shown = run(CAIRN_PREDICT, with(weights, {"--show", "large.png"}), folder.path);
  CHECK(line_count(shown.out) == 32 + 1);

  write_file(folder.path / "text.png", "hello");
  const Result bad = run(CAIRN_PREDICT, with(weights, {"--json", "text.png", "grey.png"}), folder.path);
  CHECK(bad.code == 2);
  CHECK(line_count(bad.error) == 1);
  CHECK(bad.error.find("predict: text.png: is not a PNG or JPEG file") == 0);
  CHECK(last_line(bad.out)["predictions"].size() == 1);
}

}  // namespace cairn::testing
