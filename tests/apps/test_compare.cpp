// compare from the command line: the suites in their quick form, interrupted and continued, without room, with
// flags that make no sense; networks beside PyTorch's recordings.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A quick suite on data that needs no files.
std::vector<std::string> quick(const std::string& suite, const std::string& out) {
  return {"--suite", suite, "--quick", "--dataset", "digits", "--impl", "simd", "--out", out};
}

nlohmann::json result_of(const fs::path& curve) {
  return nlohmann::json::parse(read_file(curve / "result.json"));
}

int files_in(const fs::path& folder, const std::string& extension) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) count += entry.path().extension() == extension;
  return count;
}

}  // namespace

TEST_CASE("compare: nmist in its quick form, and again without training anything") {
  const TemporaryFolder folder;
  const std::vector<std::string> call = quick("nmist", "c");
  const Result first = run(CAIRN_COMPARE, call, folder.path);
  REQUIRE_MESSAGE(first.code == 0, first.error);
  CHECK_MESSAGE(says(first.out, "digits: time\n"), first.out);
  CHECK_MESSAGE(says(first.out, "2 trainings: c/report.html and c/report.md\n"), first.out);
  CHECK(says(first.error, "[2/2] dnn-digits-simd: 40 epochs\n"));
  CHECK(files_in(folder.path / "c/plots", ".svg") == 4);
  CHECK(files_in(folder.path / "c/plots", ".png") == 4);
  const nlohmann::json linear = result_of(folder.path / "c/curves/linear-digits-simd");
  CHECK(linear["steps"] == 20);
  CHECK(linear["points"].size() == 4);
  CHECK(linear["points"].back()["accuracy"] == linear["test_accuracy"]);
  CHECK(linear["points"].back()["accuracy"].get<double>() > 0.3);
  CHECK(linear["points"][0]["seconds"].get<double>() > 0);
  CHECK(linear["points"][0]["seconds"] < linear["points"][3]["seconds"]);

  const std::string html = read_file(folder.path / "c/report.html");
  const Result second = run(CAIRN_COMPARE, call, folder.path);
  CHECK(second.code == 0);
  CHECK(second.out == first.out);
  CHECK(second.error == "[1/2] linear-digits-simd: finished before\n[2/2] dnn-digits-simd: finished before\n");
  CHECK(read_file(folder.path / "c/report.html") == html);

  const Result other = run(CAIRN_COMPARE, with(call, {"--seed", "2"}), folder.path);
  CHECK(other.code == 2);
  CHECK_MESSAGE(other.error == "compare: c holds a comparison with seed 1, not 2: name another folder with --out\n",
                other.error);
}

TEST_CASE("compare: a suite may be trained in parts, and the page has them all in the suite's order") {
  const TemporaryFolder folder;
  const std::vector<std::string> call = with(quick("nmist", "c"), {"--quiet"});
  const Result second = run(CAIRN_COMPARE, with(call, {"--model", "dnn"}), folder.path);
  CHECK_MESSAGE(second.code == 0, second.error);
  CHECK(says(second.out, "1 trainings: "));
  const Result first = run(CAIRN_COMPARE, with(call, {"--recipe", "full-batch", "--model", "linear"}), folder.path);
  CHECK_MESSAGE(first.code == 0, first.error);
  const size_t linear = first.out.find("linear classifier"), dnn = first.out.find("DNN");
  CHECK(linear < dnn);
  CHECK(dnn != std::string::npos);
}

TEST_CASE("compare: skoltech in its quick form reads all its epochs off one training a curve") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_COMPARE, with(quick("skoltech", "c"), {"--quiet"}), folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(result.error.empty());
  CHECK_MESSAGE(says(result.out, "5 trainings: "), result.out);
  for (const char* model : {"simplenet", "lenet-caffe", "relunet", "largenet", "largenet-1x1"}) {
    const nlohmann::json curve = result_of(folder.path / "c/curves" / (std::string(model) + "-digits-simd"));
    REQUIRE(curve["points"].size() == 2);
    CHECK(curve["points"][1]["steps"] == 2 * curve["points"][0]["steps"].get<int>());
  }
  CHECK(result_of(folder.path / "c/curves/simplenet-digits-simd")["test_accuracy"].get<double>() > 0.3);
  CHECK(says(read_file(folder.path / "c/report.md"), "| LargeNet (cuDNN's) | simd |"));
}

TEST_CASE("compare: benchmark-mnist in its quick form tests in batches of 100 and asks a predict process") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_COMPARE, with(quick("benchmark-mnist", "c"), {"--quiet"}), folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  for (const char* model : {"lenet-caffe2", "cnn"}) {
    const fs::path curve = folder.path / "c/curves" / (std::string(model) + "-digits-simd");
    const nlohmann::json ours = result_of(curve);
    CHECK(ours["steps"] == 10);
    CHECK(ours["test"]["batches"] == 10);
    CHECK(ours["test"]["images"] == 1000);
    CHECK(ours["digits"]["count"] == 10);
    CHECK(files_in(curve, ".png") == 10);
    CHECK(nlohmann::json::parse(read_file(curve / "predict.json"))["model"] == model);
  }
  CHECK(says(read_file(folder.path / "c/report.md"), "## Test and pictures"));
}

namespace {

// The suite in its quick form on generated data, interrupted once and gone on with; the folders of its trainings.
std::vector<std::string> interrupted_once(const std::string& suite, const TemporaryFolder& folder,
                                          const std::string& dataset = "digits32") {
  const std::vector<std::string> call{"--suite", suite,  "--quick", "--dataset", dataset,
                                      "--impl",  "simd", "--out",   "c",         "--quiet"};
  const Result first = run(CAIRN_COMPARE, call, folder.path, "", 1500);
  CHECK_MESSAGE((first.code == 130 || first.code == 0 || first.code == -SIGINT), first.error);
  const Result result = run(CAIRN_COMPARE, call, folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path / "c/curves")) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  for (const std::string& name : names) CHECK(result_of(folder.path / "c/curves" / name)["steps"] > 0);
  return names;
}

}  // namespace

TEST_CASE("compare: cifar-frameworks trains one network from five beginnings, interrupted and gone on with") {
  const TemporaryFolder folder;
  CHECK(interrupted_once("cifar-frameworks", folder) ==
        std::vector<std::string>{"cifar-vgg-caffe2-digits32-simd", "cifar-vgg-gluon-digits32-simd",
                                 "cifar-vgg-knet-digits32-simd", "cifar-vgg-mxnet-digits32-simd",
                                 "cifar-vgg-pytorch-digits32-simd"});
  const std::string page = read_file(folder.path / "c/report.md");
  CHECK(says(page, "| Glorot's uniform | simd |"));
  CHECK(says(page, "plots/digits32-cifar-vgg-knet-accuracy.svg"));
}

TEST_CASE("compare: playground-cifar trains ten networks, interrupted and gone on with") {
  const TemporaryFolder folder;
  CHECK(interrupted_once("playground-cifar", folder).size() == 10);
  CHECK(says(read_file(folder.path / "c/report.md"), "| Inception2 | simd |"));
}

TEST_CASE("compare: benchmark-imagenet tests by a process of its own, interrupted and gone on with") {
  const TemporaryFolder folder;
  CHECK(interrupted_once("benchmark-imagenet", folder).size() == 1);
  const fs::path curve = folder.path / "c/curves/cifar-tutorial-digits32-simd";
  const nlohmann::json ours = result_of(curve);
  CHECK(ours["test"]["batch_size"] == 64);
  CHECK(ours["test"]["batches"] == 10);
  CHECK(ours["test"]["images"] == 640);
  CHECK(ours["test"]["process_seconds"].get<double>() > ours["test"]["seconds"].get<double>());
  CHECK(ours["digits"]["count"] == 10);
  const nlohmann::json said = nlohmann::json::parse(read_file(curve / "test.json"));
  CHECK(said["device"] == "cpu");
  CHECK(says(said["weights"], "average.safetensors"));
}

TEST_CASE("compare: imdb-frameworks trains one network of texts in five ways, interrupted and gone on with") {
  const TemporaryFolder folder;
  CHECK(interrupted_once("imdb-frameworks", folder, "phrases") ==
        std::vector<std::string>{"imdb-gru-default-phrases-simd", "imdb-gru-knet-phrases-simd",
                                 "imdb-gru-mxnet-phrases-simd", "imdb-gru-pytorch-phrases-simd",
                                 "imdb-gru-start-phrases-simd"});
  CHECK(result_of(folder.path / "c/curves/imdb-gru-knet-phrases-simd")["steps"] == 2);
  const std::string page = read_file(folder.path / "c/report.md");
  CHECK(says(page, "few epochs on 128 training texts."));
  CHECK(says(page, "| TensorFlow's learnt state | simd |"));
  CHECK(says(page, "plots/phrases-imdb-gru-mxnet-accuracy.svg"));
  CHECK_FALSE(says(page, "images"));
}

TEST_CASE("compare: resnet50-features times networks of photos beside the published frameworks, and goes on") {
  const TemporaryFolder folder;
  const std::vector<std::string> call = {"--suite", "resnet50-features", "--quick", "--impl", "simd", "--out", "c"};
  const Result first = run(CAIRN_COMPARE, with(call, {"--model", "resnet50-v1"}), folder.path);
  REQUIRE_MESSAGE(first.code == 0, first.error);
  CHECK(says(first.out, "Knet"));
  const Result second = run(CAIRN_COMPARE, call, folder.path);
  CHECK_MESSAGE(second.code == 0, second.error);
  CHECK(says(second.error, "resnet50-v1 by simd: finished before\n"));
  const std::string lines = read_file(folder.path / "c/results.jsonl"), page = read_file(folder.path / "c/report.md");
  CHECK(line_count(lines) == 2);
  CHECK(last_line(lines)["images"] == 4);
  CHECK(last_line(lines)["seconds"].get<double>() > 0);
  CHECK(page.find("| resnet50 | Cairn, simd | this machine | 4 |") <
        page.find("| resnet50 | MXNet with MKL | six CPU cores | 256 |"));
  CHECK(says(page, "| resnet50-v1 | Knet | K80 | 1280 |"));
  const Result other = run(CAIRN_COMPARE, with(call, {"--threads", "1"}), folder.path);
  CHECK(other.code == 2);
  CHECK(says(other.error, "c holds a comparison with threads 0, not 1: name another folder with --out\n"));
}

TEST_CASE("compare: playground-imagenet wants weights, and says what of them is missing") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& more, const std::string& text) {
    const Result result =
        run(CAIRN_COMPARE, with({"--suite", "playground-imagenet", "--quick", "--impl", "simd", "--out", "c"}, more),
            folder.path);
    CHECK_MESSAGE(result.code == 2, result.error);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(says(result.error, text), result.error);
    CHECK_FALSE(fs::exists(folder.path / "c"));
  };
  refused({}, "suite playground-imagenet needs --weights-dir: a folder with <network>.pth or .safetensors of each\n");
  refused({"--weights-dir", "w"},
          "w has no alexnet.safetensors, alexnet.pth or alexnet/*.pth: ./cairn fetch alexnet --data-dir w");
  refused({"--weights-dir", "w", "--model", "resnet50"}, "suite playground-imagenet has no network resnet50\n");
  refused({"--recipe", "x"}, "--recipe belongs to suites that train\n");
  const Result wrong = run(CAIRN_COMPARE, with(quick("nmist", "c"), {"--weights-dir", "w"}), folder.path);
  CHECK(says(wrong.error, "--weights-dir belongs to --suite playground-imagenet\n"));
}

TEST_CASE("compare: interrupted again and again, a suite ends with the bits of one left in peace") {
  const TemporaryFolder folder;
  REQUIRE(run(CAIRN_COMPARE, with(quick("nmist", "peaceful"), {"--threads", "1"}), folder.path).code == 0);
  int interruptions = 0;
  bool done = false;
  for (int i = 0; i < 40; ++i) {
    const Result result =
        run(CAIRN_COMPARE, with(quick("nmist", "c"), {"--threads", "1"}), folder.path, "", 300 + 120 * i);
    done = result.code == 0;
    if (done) break;
    if (result.code == -SIGINT) continue;  // before anything had begun
    REQUIRE_MESSAGE(result.code == 130, result.error);
    if (!says(result.error, "the same call goes on from there: c\n")) continue;
    ++interruptions;
    CHECK(fs::exists(folder.path / "c/report.html"));
  }
  CHECK(done);
  CHECK(interruptions > 0);
  for (const char* curve : {"linear-digits-simd", "dnn-digits-simd"}) {
    const fs::path ours = folder.path / "c/curves" / curve, expected = folder.path / "peaceful/curves" / curve;
    CHECK(read_file(ours / "model.safetensors") == read_file(expected / "model.safetensors"));
    const nlohmann::json points = result_of(ours)["points"], others = result_of(expected)["points"];
    REQUIRE(points.size() >= others.size());
    CHECK(points.back()["accuracy"] == others.back()["accuracy"]);
  }
}

TEST_CASE("compare: without room on the disk it is one line, and with room the same call goes on") {
  const TemporaryFolder folder;
  const std::vector<std::string> call = with(quick("nmist", "c"), {"--quiet"});
  const Result full =
      run("/bin/sh", with({"-c", "ulimit -f 128; exec \"$@\"", "sh", CAIRN_COMPARE}, call), folder.path);
  CHECK_MESSAGE(full.code == 1, full.error);
  CHECK_MESSAGE(line_count(full.error) == 1, full.error);
  CHECK_MESSAGE(
      says(full.error, "compare: c/curves/linear-digits-simd: the next training needs 1.2 MiB: File too large;"),
      full.error);
  CHECK(run(CAIRN_COMPARE, call, folder.path).code == 0);
}

TEST_CASE("compare: bad input is one line that says what there is") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& text) {
    const Result result = run(CAIRN_COMPARE, arguments, folder.path);
    CHECK_MESSAGE(result.code == 2, result.error);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(says(result.error, text), result.error);
    CHECK(fs::is_empty(folder.path));
  };
  refused({},
          "one of --model, --all and --suite is needed; suites are skoltech, nmist, benchmark-mnist, "
          "cifar-frameworks, playground-cifar, benchmark-imagenet, imdb-frameworks, resnet50-features, "
          "playground-imagenet\n");
  refused(with(quick("nmist", "c"), {"--all"}), "one of --model, --all and --suite is needed");
  refused(with(quick("nmist", "c"), {"--model", "lenet"}), "suite nmist has no network lenet\n");
  refused(with(quick("nmist", "c"), {"--recipe", "x"}), "suite nmist has none of its networks by recipe x\n");
  refused({"--suite", "imagenet"},
          "unknown suite 'imagenet': choose one of skoltech, nmist, benchmark-mnist, cifar-frameworks, "
          "playground-cifar, benchmark-imagenet, imdb-frameworks, resnet50-features, playground-imagenet\n");
  refused(with(quick("nmist", "c"), {"--impl", "mkl"}), "mkl");
  refused(with(quick("nmist", "c"), {"--impl", "simd,,vanilla"}), "there is nothing between two commas");
  refused(with(quick("nmist", "c"), {"--dataset", "letters"}), "unknown data set 'letters'");
  refused(with(quick("nmist", "c"), {"--threads", "-2"}), "--threads must be between 0 and 1024, not -2");
  refused(with(quick("nmist", "c"), {"--epochs", "3"}), "--epochs belongs to --model and --all\n");
  refused(with(quick("nmist", "c"), {"--report", "r"}), "--report belongs to --model and --all\n");
  refused({"--live"}, "--live goes with one --model\n");
  refused({"--live", "--model", "lenet", "--epochs", "2"}, "--epochs belongs to a call without --live\n");
  refused(with(quick("nmist", "c"), {"--double"}), "--double belongs to --model and --all\n");
  refused({"--live", "--model", "lenet", "--double"}, "--double belongs to a call without --live\n");
  refused({"--model", "dnn", "--dataset", "digits", "--double", "--impl", "simd", "--device", "cpu"},
          "computes in float only; reference and torch have double precision\n");
  refused({"--all", "--quick"}, "--quick belongs to --suite\n");
  refused({"--all", "--seed", "3"}, "--seed belongs to --suite; here it is the recording's\n");
  refused({"--all", "--out", "c"}, "--out belongs to --suite");
  refused({"--all", "--model", "dnn"}, "--model belongs to a call without --all\n");
  refused(with(quick("nmist", "c"), {"--seed", "one"}), "--seed");
  refused({"--suite", "nmist", "--quick", "--quiet"}, "compare: ");  // no MNIST, and no network to get it from
}

TEST_CASE("compare: a folder that cannot be written, results that were damaged, a folder in use") {
  const TemporaryFolder folder;
  write_file(folder.path / "file", "");
  const Result place = run(CAIRN_COMPARE, quick("nmist", "file/c"), folder.path);
  CHECK(place.code == 2);
  CHECK_MESSAGE(line_count(place.error) == 1, place.error);
  write_file(folder.path / "c/suite.json", "not JSON");
  const Result damaged = run(CAIRN_COMPARE, quick("nmist", "c"), folder.path);
  CHECK(damaged.code == 2);
  CHECK_MESSAGE(damaged.error == "compare: c/suite.json: is not a JSON object\n", damaged.error);
  fs::remove_all(folder.path / "c");
  write_file(folder.path / "c/curves/linear-digits-simd/result.json", "{");
  const Result curve = run(CAIRN_COMPARE, with(quick("nmist", "c"), {"--quiet"}), folder.path);
  CHECK(curve.code == 2);
  CHECK_MESSAGE(curve.error == "compare: c/curves/linear-digits-simd/result.json: is not a JSON object\n", curve.error);
}

TEST_CASE("compare: networks beside PyTorch's recordings, with a page") {
  const TemporaryFolder folder;
  const std::vector<std::string> call = {"--model", "linear,dnn",   "--dataset", "digits",
                                         "--impl",  "simd,vanilla", "--device",  "cpu"};
  const Result result = run(CAIRN_COMPARE, with(call, {"--epochs", "1", "--report", "r"}), folder.path);
  REQUIRE_MESSAGE(result.code == 0, (result.out + result.error));
  CHECK(says(result.out, "linear default on digits, simd on cpu"));
  CHECK(says(result.out, "accuracy after epoch 1"));
  CHECK(says(result.out, "within"));
  CHECK_FALSE(says(result.out, "NOT WITHIN"));
  CHECK(says(result.out, "4 of 4 comparisons within the limits\n"));
  CHECK(says(result.error, "[4/4] dnn default on digits, vanilla\n"));
  CHECK(says(read_file(folder.path / "r/report.md"), "| dnn | default | digits | vanilla on cpu |"));
  CHECK(files_in(folder.path / "r/plots", ".svg") == 12);
}

TEST_CASE("compare: without MNIST the recordings on digits are used, and it says so") {
  const TemporaryFolder folder;
  const Result result = run("/usr/bin/env",
                            {"CAIRN_MIRROR=http://127.0.0.1:9", CAIRN_COMPARE, "--model", "linear", "--impl", "simd",
                             "--steps", "10", "--data-dir", "nothing"},
                            folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(says(result.error, "using the generated data set 'digits' instead\n"));
  CHECK(says(result.out, "linear default on digits"));
}

TEST_CASE("compare: in double precision reference is within a millionth") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_COMPARE, {"--model", "linear", "--dataset", "digits", "--double"}, folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(says(result.out, "linear default on digits, reference on cpu\n"));
  CHECK(says(result.out, "1.0e-06  within"));
  CHECK(says(result.out, "1 of 1 comparisons within the limits\n"));
}

TEST_CASE("compare: a training that is not PyTorch's is exit code 1, and the line says which") {
  const TemporaryFolder folder;
  fs::copy(CAIRN_SOURCE_DIR "/comparisons/references/recorded", folder.path / "recorded");
  const std::vector<std::string> call = {"--model", "linear",   "--dataset", "digits",       "--impl",
                                         "simd",    "--epochs", "0",         "--references", "recorded"};
  REQUIRE(run(CAIRN_COMPARE, call, folder.path).code == 0);
  nlohmann::json recorded = nlohmann::json::parse(read_file(folder.path / "recorded/linear.json"));
  for (nlohmann::json& each : recorded["cases"])
    if (each["recipe"] == "default") {
      nlohmann::json& loss = each["parity"]["losses"][4];
      loss = loss.get<double>() * 1.0001;
    }
  write_file(folder.path / "recorded/linear.json", recorded.dump());
  const Result result = run(CAIRN_COMPARE, call, folder.path);
  CHECK(result.code == 1);
  CHECK_MESSAGE(says(result.out, "worst of losses 1 to 10, at step 5"), result.out);
  CHECK(says(result.out, "NOT WITHIN"));
  CHECK(says(result.out, "0 of 1 comparisons within the limits\n"));
}

TEST_CASE("compare: a bad recording, or none, is one line and exit code 2") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path / "recorded");
  const std::vector<std::string> call = {"--model", "dnn", "--dataset", "digits", "--references", "recorded"};
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& text) {
    const Result result = run(CAIRN_COMPARE, arguments, folder.path);
    CHECK_MESSAGE(result.code == 2, result.error);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(says(result.error, text), result.error);
    CHECK(result.out.empty());
  };
  refused(call, "recorded/dnn.json");
  const std::string good = read_file(CAIRN_SOURCE_DIR "/comparisons/references/recorded/dnn.json");
  for (const auto& [text, error] : std::vector<std::pair<std::string, std::string>>{
           {"", "compare: recorded/dnn.json: is not JSON, or not all of it; "},
           {good.substr(0, good.size() / 2), "compare: recorded/dnn.json: is not JSON, or not all of it; "},
           {"{\"format\": \"other\"}",
            "compare: recorded/dnn.json: is not a recording of comparisons/references/record.py; "},
           {"{\"format\": \"cairn-reference\", \"version\": 0}",
            "compare: recorded/dnn.json: has version 0, and this program reads 1; "},
           {"{\"format\": \"cairn-reference\", \"version\": 1, \"model\": \"dnn\", \"cases\": []}",
            "compare: nothing of dnn default on digits is recorded; there is nothing\n"}}) {
    write_file(folder.path / "recorded/dnn.json", text);
    refused(call, error);
  }
  write_file(folder.path / "recorded/dnn.json", good);
  refused({"--model", "resnet"}, "unknown model 'resnet'");
  refused(with(call, {"--recipe", "nesterov"}), "unknown recipe of model dnn 'nesterov'");
  refused(with(call, {"--impl", "mkl"}), "mkl");
  refused(with(call, {"--steps", "0"}), "--steps must be 1 or more");
  refused(with(call, {"--epochs", "-1"}), "--epochs must be 0 or more");
  refused(with(call, {"--dataset", "fashion-mnist", "--data-dir", ".", "--quiet"}), "compare: ");
}

}  // namespace cairn::testing
