// fetch from the command line: what it prints and how it ends. Broken and lying servers are tests/datasets's.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "datasets/pretrained.h"
#include "datasets/sources.h"
#include "tests/apps/command.h"
#include "tests/datasets/http_server.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;
using datasets::Bytes;
using datasets::HttpServer;

const std::vector<std::string> kMnistFiles = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                              "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};

// Runs a program with these mirrors and no proxy.
Result run_with(const std::string& mirrors, const std::string& program, const std::vector<std::string>& arguments,
                const fs::path& folder, int interrupt_after_ms = 0) {
  std::vector<std::string> words = {"CAIRN_MIRROR=" + mirrors, "no_proxy=*", "NO_PROXY=*", program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run("/usr/bin/env", words, folder, "", interrupt_after_ms);
}

// The published MNIST files under $CAIRN_DATA, as a server's answers; empty where they are not at hand.
std::map<std::string, HttpServer::Answer> published_mnist() {
  std::map<std::string, HttpServer::Answer> answers;
  const char* const data_dir = std::getenv("CAIRN_DATA");
  for (const std::string& name : kMnistFiles) {
    const fs::path path = fs::path(data_dir ? data_dir : "") / "mnist" / name;
    if (!fs::exists(path)) return {};
    const std::string bytes = read_file(path);
    answers["/mnist/" + name] = {Bytes(bytes.begin(), bytes.end())};
  }
  return answers;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("fetch --list names data sets, sizes, places and mirrors") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_FETCH, {"--list", "--data-dir", "place"}, folder.path);
  CHECK(result.code == 0);
  CHECK(result.error.empty());
  for (const char* part : {"mnist: ",
                           "11.1 MiB",
                           "4 files",
                           "place/fashion-mnist",
                           "cifar10: ",
                           "162.2 MiB",
                           "6 files, 175.8 MiB in place/cifar10",
                           "cifar100: ",
                           "160.7 MiB",
                           "2 files, 175.9 MiB in place/cifar100",
                           "imagenet32: ",
                           "it needs a login",
                           "into place/imagenet32",
                           "imdb: ",
                           "18.2 MiB",
                           "2 files, 18.2 MiB in place/imdb",
                           "from http://127.0.0.1:9/imdb/",
                           "resnet50: weights of resnet50 for ImageNet, as torchvision publishes them (mirror untried)",
                           "download of unknown size; 1 file in place/resnet50",
                           "digits: drawn here",
                           "4 files in place/digits",
                           "digits32: drawn here",
                           "6 files in place/digits32"})
    CHECK_MESSAGE(has(result.out, part), part);
  CHECK(fs::is_empty(folder.path));
  CHECK(has(run("/usr/bin/env", {"-u", "CAIRN_MIRROR", CAIRN_FETCH, "--list"}, folder.path).out,
            "from https://www.cs.toronto.edu/~kriz/"));
}

TEST_CASE("fetch: bad usage is one line and exit code 2") {
  const TemporaryFolder folder;
  write_file(folder.path / "file", "not a folder");
  const auto refused = [&](const std::vector<std::string>& arguments, const char* part) {
    const Result result = run(CAIRN_FETCH, arguments, folder.path);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(has(result.error, part), result.error);
  };
  refused({}, "name the data sets");
  std::string choices;
  for (const auto& table : {datasets::known_sources(), datasets::pretrained_sources()})
    for (const datasets::DataSource& source : table) choices += source.name + ", ";
  refused({"cifar"}, ("unknown data set 'cifar': choose one of " + choices + "or all").c_str());
  refused({"mnist", "--timeout", "0"}, "--timeout must be from 0.1");
  refused({"mnist", "--timeout", "nan"}, "--timeout: 'nan' is not a number");
  refused({"mnist", "--what"}, "--what");
  refused({"mnist", "--quiet", "--data-dir", "file"}, "file/mnist: cannot be created: Not a directory");
  write_file(folder.path / "data" / "imdb" / "imdb.npz", "mine");
  refused({"imdb", "--quiet"}, "data/imdb/imdb.npz: is not the published imdb file");
  CHECK(read_file(folder.path / "data" / "imdb" / "imdb.npz") == "mine");
}

TEST_CASE("fetch says of a set behind a login what to do, and fetches the others") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_FETCH, {"imagenet32", "digits", "--data-dir", "data"}, folder.path);
  CHECK(result.code == 1);
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  CHECK_MESSAGE(has(result.error, "fetch: imagenet32: cannot be fetched, since it needs a login: register at "),
                result.error);
  CHECK_MESSAGE(has(result.error, "val_data into data/imagenet32"), result.error);
  CHECK(has(result.out, "digits: 4 files now in data/digits"));
}

TEST_CASE("fetch digits writes what is drawn, once, and needs no network") {
  const TemporaryFolder folder;
  const Result first = run_with("http://127.0.0.1:9", CAIRN_FETCH, {"digits", "--data-dir", "data"}, folder.path);
  CHECK_MESSAGE(first.code == 0, first.error);
  CHECK(first.out == "digits: 4 files now in data/digits\n");
  CHECK(fs::file_size(folder.path / "data/digits/train-images-idx3-ubyte") == 16 + 20000 * 784);
  CHECK(fs::file_size(folder.path / "data/digits/t10k-labels-idx1-ubyte") == 8 + 4000);
  CHECK(run(CAIRN_FETCH, {"digits", "--data-dir", "data"}, folder.path).out ==
        "digits: 4 files already in data/digits\n");
  write_file(folder.path / "data/digits/t10k-labels-idx1-ubyte", "mine");
  const Result other = run(CAIRN_FETCH, {"digits", "--data-dir", "data"}, folder.path);
  CHECK(other.code == 2);
  CHECK_MESSAGE(
      other.error == "fetch: data/digits/t10k-labels-idx1-ubyte: is not what `digits` is drawn as: move or delete it\n",
      other.error);
}

TEST_CASE("fetch: no mirror that can be reached is one line for each data set, exit code 1 and nothing left") {
  const TemporaryFolder folder;
  const Result result = run_with("http://127.0.0.1:9", CAIRN_FETCH, {"all", "--quiet"}, folder.path);
  CHECK(result.code == 1);
  CHECK(result.out.empty());
  const auto by_program =
      std::ranges::count_if(datasets::known_sources(), &std::string::empty, &datasets::DataSource::by_hand);
  CHECK_MESSAGE(line_count(result.error) == by_program, result.error);
  for (const char* name : {"train-images-idx3-ubyte.gz", "cifar-10-binary.tar.gz", "imdb.npz"})
    CHECK_MESSAGE(has(result.error, std::string("fetch: ") + name + " could not be downloaded"), result.error);
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("fetch: Ctrl-C keeps what has arrived and exits 130; so it is with train") {
  const HttpServer server({{"/imdb/imdb.npz", {.body = Bytes(17464789), .stall_after = 400'000}},
                           {"/mnist/" + kMnistFiles[0], {.body = Bytes(9912422), .stall_after = 300'000}}});
  const TemporaryFolder folder;
  const Result fetched = run_with(server.url(), CAIRN_FETCH, {"imdb"}, folder.path, 600);
  CHECK_MESSAGE(fetched.code == 130, fetched.error);
  CHECK_MESSAGE(has(fetched.error, "fetch: interrupted, 400000 of 17464789 bytes are kept for the next call\n"),
                fetched.error);
  CHECK(fs::file_size(folder.path / "data/imdb/imdb.npz.part") == 400'000);
  const Result trained = run_with(server.url(), CAIRN_TRAIN, {"--dataset", "mnist"}, folder.path, 800);
  CHECK_MESSAGE(trained.code == 130, trained.error);
  CHECK(fs::file_size(folder.path / "data/mnist" / (kMnistFiles[0] + ".part")) == 300'000);
}

TEST_CASE("fetch: a mirror that stalls is left after --timeout") {
  const HttpServer server({{"/imdb/imdb.npz", {.body = Bytes(17464789), .stall_after = 0}}});
  const TemporaryFolder folder;
  const Result result = run_with(server.url(), CAIRN_FETCH, {"imdb", "--timeout", "0.3", "--quiet"}, folder.path);
  CHECK(result.code == 1);
  CHECK_MESSAGE(has(result.error, "stalled: no data for 0.3 s"), result.error);
}

TEST_CASE("fetch: a full disk is one line and exit code 1") {
  const HttpServer server({{"/imdb/imdb.npz", {.body = Bytes(17464789)}}});
  const TemporaryFolder folder;
  const Result result = run_with(
      server.url(), "/bin/sh", {"-c", "ulimit -f 128; exec \"$@\"", "sh", CAIRN_FETCH, "imdb", "--quiet"}, folder.path);
  CHECK(result.code == 1);
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  CHECK_MESSAGE(has(result.error, "imdb.npz.part: cannot be written: File too large"), result.error);
}

TEST_CASE("real data: fetch mnist over a mirror that breaks, then train on it") {
  auto answers = published_mnist();
  if (answers.empty()) {
    MESSAGE("skipped: CAIRN_DATA is not set, or has no published MNIST files");
    return;
  }
  HttpServer::Answer& images = answers["/mnist/" + kMnistFiles[0]];
  images.close_after = 5'000'000;
  images.faulty_requests = 1;
  const HttpServer server(answers);
  const TemporaryFolder folder;
  const std::string mirrors = "http://127.0.0.1:9 " + server.url();
  const Result first = run_with(mirrors, CAIRN_FETCH, {"mnist"}, folder.path);
  CHECK_MESSAGE(first.code == 0, first.error);
  CHECK(first.out == "mnist: 4 files, 11.1 MiB now in data/mnist\n");
  CHECK_MESSAGE(has(first.error, "continuing after 4.8 MiB"), first.error);
  CHECK(server.requests()[1] == "/mnist/" + kMnistFiles[0] + " 5000000-");
  const Result second = run_with(mirrors, CAIRN_FETCH, {"mnist"}, folder.path);
  CHECK(second.out == "mnist: 4 files, 11.1 MiB already in data/mnist\n");
  CHECK(second.error.empty());
  CHECK(server.requests().size() == 5);

  fs::remove(folder.path / "data/mnist" / kMnistFiles[3]);
  const Result trained =
      run_with(server.url(), CAIRN_TRAIN, {"--dataset", "mnist", "--model", "linear", "--epochs", "1"}, folder.path);
  CHECK_MESSAGE(trained.code == 0, trained.error);
  CHECK_MESSAGE(has(trained.error, "mnist is not in data: downloading it\n"), trained.error);
  CHECK(server.requests().size() == 6);
}

}  // namespace cairn::testing
