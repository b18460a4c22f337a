// Downloads against a web server on loopback that serves, cuts short, lies and is not there.
#include "datasets/download.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "datasets/dataset.h"
#include "datasets/file.h"
#include "datasets/sha256.h"
#include "tests/datasets/http_server.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

const char* const kDeadMirror = "http://127.0.0.1:1/";

RemoteFile remote(const std::string& name, const Bytes& content) {
  return {name, sha256(content)};
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

// Proxies of the machine have no business here.
struct NoProxy {
  ScopedVariable lower{"no_proxy", "*"}, upper{"NO_PROXY", "*"};
};

}  // namespace

TEST_CASE("a download arrives whole, in a new folder, readable and alone") {
  const NoProxy no_proxy;
  const Bytes content = pattern(3'000'000);
  const HttpServer server({{"/a.gz", {content}}});
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "new" / "mnist";
  download_files({remote("a.gz", content)}, {server.url()}, place, true);
  CHECK(read_file(place / "a.gz") == content);
  CHECK(names_in(place) == std::vector<std::string>{"a.gz"});
  CHECK((fs::status(place / "a.gz").permissions() & fs::perms::others_read) != fs::perms::none);
}

TEST_CASE("a redirect is followed") {
  const NoProxy no_proxy;
  const Bytes content = pattern(1000);
  const HttpServer server({{"/a.gz", {{}, 0, "/b.gz"}}, {"/b.gz", {content}}});
  const TemporaryFolder folder;
  download_files({remote("a.gz", content)}, {server.url()}, folder.path(), true);
  CHECK(read_file(folder.path() / "a.gz") == content);
}

TEST_CASE("a mirror that is dead, empty, cut short or lying is passed over, and stays so") {
  const NoProxy no_proxy;
  const Bytes content = pattern(1000);
  Bytes lie = content;
  lie[500] ^= 1;
  const HttpServer none({});
  const HttpServer cut({{"/a", {Bytes(content.begin(), content.begin() + 600), 400}}});
  const HttpServer liar({{"/a", {lie}}});
  const HttpServer honest({{"/a", {content}}, {"/b", {content}}});
  const TemporaryFolder folder;
  download_files({remote("a", content), remote("b", content)},
                 {kDeadMirror, none.url(), cut.url(), liar.url(), honest.url()}, folder.path(), true);
  CHECK(read_file(folder.path() / "a") == content);
  CHECK(read_file(folder.path() / "b") == content);
  CHECK(names_in(folder.path()).size() == 2);
  CHECK(none.requests() == std::vector<std::string>{"/a"});  // not asked again for the second file
  CHECK(honest.requests() == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("no mirror has it: one line that says what was tried and what to do, soon, and nothing left behind") {
  const NoProxy no_proxy;
  const Bytes content = pattern(1000);
  Bytes lie = content;
  lie[0] ^= 1;
  const HttpServer none({});
  const HttpServer cut({{"/a", {Bytes(content.begin(), content.begin() + 600), 400}}});
  const HttpServer liar({{"/a", {lie}}});
  const TemporaryFolder folder;
  const auto start = std::chrono::steady_clock::now();
  check_error<MissingDataError>(
      [&] {
        download_files({remote("a", content)}, {kDeadMirror, none.url(), cut.url(), liar.url(), "ftp://127.0.0.1:1/"},
                       folder.path(), true);
      },
      {"a could not be downloaded (http://127.0.0.1:1/a: ", "404", "400 bytes remaining", "another sha256", "ftp",
       folder.path().c_str(), "--dataset digits"});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(names_in(folder.path()).empty());
  check_error<MissingDataError>(
      [&] { download_files({remote("a", content)}, {none.url()}, folder.path() / "new" / "mnist", true); }, {"404"});
  CHECK(names_in(folder.path()).empty());
}

TEST_CASE("a folder that cannot be written is an IoError") {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", pattern(1));
  check_error<IoError>([&] { download_files({}, {}, folder.path() / "file" / "mnist", true); },
                       {"file/mnist: cannot be created"});
  if (geteuid() == 0) {
    MESSAGE("skipped: root may write everywhere");
    return;
  }
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  check_error<IoError>(
      [&] {
        download_files({{"a", ""}}, {kDeadMirror}, folder.path(), true);
      },
      {"a: cannot be written: Permission denied"});
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("load_dataset downloads what is missing") {
  const NoProxy no_proxy;
  const HttpServer none({});
  const TemporaryFolder folder;
  LoadOptions options;
  options.quiet = true;
  options.mirrors = {none.url()};
  check_error<MissingDataError>([&] { load_dataset("mnist", folder.path(), options); },
                                {"train-images-idx3-ubyte.gz could not be downloaded", "/mnist/train-images", "404"});
  CHECK(none.requests() == std::vector<std::string>{"/mnist/train-images-idx3-ubyte.gz"});

  const char* const data_dir = std::getenv("CAIRN_DATA");
  if (data_dir == nullptr || !fs::exists(fs::path(data_dir) / "mnist/train-images-idx3-ubyte.gz")) {
    MESSAGE("the rest is skipped: CAIRN_DATA is not set, or has no published MNIST files");
    return;
  }
  std::map<std::string, HttpServer::Answer> answers;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(data_dir) / "mnist")) {
    if (entry.path().extension() != ".gz") continue;
    answers["/mnist/" + entry.path().filename().string()] = {read_file(entry.path())};
  }
  const HttpServer server(answers);
  std::string base = server.url();
  base.pop_back();  // a base URL may come without its slash
  const ScopedVariable mirror("CAIRN_MIRROR", base.c_str());
  options.mirrors.clear();
  CHECK(load_dataset("mnist", folder.path(), options).train.count == 60000);
  CHECK(server.requests().size() == 4);
  CHECK(load_dataset("mnist", folder.path(), options).test.count == 10000);
  CHECK(server.requests().size() == 4);  // the second time they are there
}

}  // namespace cairn::datasets
