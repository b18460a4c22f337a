// Downloads against a web server on loopback that serves, breaks, stalls, lies and is not there.
#include "datasets/download.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "datasets/download_display.h"
#include "datasets/file.h"
#include "datasets/registry.h"
#include "datasets/sha256.h"
#include "tests/datasets/http_server.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;
using Requests = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

const char* const kDeadMirror = "http://127.0.0.1:1/";
const DownloadOptions kImpatient{.quiet = true, .stall_timeout = std::chrono::milliseconds(500)};

RemoteFile remote(const std::string& name, const Bytes& content) {
  return {name, content.size(), sha256(content)};
}

Bytes first(const Bytes& bytes, size_t count) {
  return Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

Bytes changed(Bytes bytes, size_t place) {
  bytes[place] ^= 1;
  return bytes;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

void download(const std::vector<RemoteFile>& files, const std::vector<std::string>& mirrors, const fs::path& folder,
              const DownloadOptions& options = kQuiet) {
  download_files(files, mirrors, HeldFolder(folder, options.quiet, options.stop), options);
}

// Shows a download that has come to a quarter.
void show_quarter(std::FILE* out) {
  REQUIRE(out != nullptr);
  DownloadDisplay display(false, out);
  display.start("http://mirror/set/a.gz", 0, 4 << 20);
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  display.progress(1 << 20);
}

}  // namespace

TEST_CASE("a download arrives whole, in a new folder, readable and alone") {
  const NoProxy no_proxy;
  const Bytes content = pattern(3'000'000);
  const HttpServer server({{"/a.gz", {content}}});
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "new" / "mnist";
  download({remote("a.gz", content)}, {server.url()}, place);
  CHECK(read_file(place / "a.gz") == content);
  CHECK(names_in(place) == std::vector<std::string>{"a.gz"});
  CHECK((fs::status(place / "a.gz").permissions() & fs::perms::others_read) != fs::perms::none);
  download({remote("a.gz", content)}, {server.url()}, place);
  CHECK(server.requests().size() == 1);  // what is there is left alone
}

TEST_CASE("a redirect is followed, a loop of them is not for ever") {
  const NoProxy no_proxy;
  const Bytes content = pattern(1000);
  const HttpServer server({{"/a.gz", {{}, "/b.gz"}}, {"/b.gz", {content}}});
  const HttpServer loop({{"/a.gz", {{}, "/b.gz"}}, {"/b.gz", {{}, "/a.gz"}}});
  const HttpServer elsewhere({{"/a.gz", {{}, "file:///etc/passwd"}}});
  const TemporaryFolder folder;
  download({remote("a.gz", content)}, {elsewhere.url(), loop.url(), server.url()}, folder.path());
  CHECK(read_file(folder.path() / "a.gz") == content);
  CHECK(loop.requests().size() == 6);
}

TEST_CASE("a mirror that is dead, empty, cut short or lying is passed over, and stays so") {
  const NoProxy no_proxy;
  const Bytes content = pattern(1000);
  const HttpServer none({});
  const HttpServer cut({{"/a", {.body = content, .close_after = 600}}});
  const HttpServer liar({{"/a", {changed(content, 700)}}});
  const HttpServer honest({{"/a", {content}}, {"/b", {content}}});
  const TemporaryFolder folder;
  download({remote("a", content), remote("b", content)}, {kDeadMirror, none.url(), cut.url(), liar.url(), honest.url()},
           folder.path());
  CHECK(read_file(folder.path() / "a") == content);
  CHECK(read_file(folder.path() / "b") == content);
  CHECK(names_in(folder.path()).size() == 2);
  CHECK(none.requests() == Requests{"/a"});  // not asked again for the second file
  CHECK(liar.requests() == Requests{"/a 600-", "/a"});
  CHECK(honest.requests() == Requests{"/a", "/b"});
}

TEST_CASE("a file of which only the hash's first digits were published is checked by these") {
  const NoProxy no_proxy;
  const Bytes content = pattern(300'000);
  const RemoteFile file{"net.pth", 0, sha256(content).substr(0, 8)};
  const HttpServer liar({{"/net.pth", {changed(content, 700)}}});
  const HttpServer cut({{"/net.pth", {.body = content, .close_after = 600}}});
  const HttpServer honest({{"/net.pth", {content}}});
  const TemporaryFolder folder;
  download({file}, {liar.url(), cut.url(), honest.url()}, folder.path());
  CHECK(read_file(folder.path() / "net.pth") == content);
  CHECK(honest.requests() == Requests{"/net.pth 600-"});
  CHECK(file.is(content.size(), sha256(content)));
  CHECK_FALSE(file.is(content.size(), sha256(changed(content, 1))));
  CHECK_FALSE(RemoteFile{"a", 1, sha256(content)}.is(content.size(), sha256(content)));

  // All of it had arrived when the last call was killed: there is nothing to go on with.
  const TemporaryFolder whole;
  write_file(whole.path() / "net.pth.part", content);
  download({file}, {honest.url()}, whole.path());
  CHECK(read_file(whole.path() / "net.pth") == content);
}

TEST_CASE("a broken download is continued: by the next mirror, by the same one, by the next call") {
  const NoProxy no_proxy;
  const Bytes content = pattern(200'000);
  const RemoteFile file = remote("a", content);
  const HttpServer cut({{"/a", {.body = content, .close_after = 60'000}}});
  const HttpServer honest({{"/a", {content}}});
  {
    const TemporaryFolder folder;
    download({file}, {cut.url(), honest.url()}, folder.path());
    CHECK(read_file(folder.path() / "a") == content);
    CHECK(honest.requests() == Requests{"/a 60000-"});
  }
  {
    const TemporaryFolder folder;
    download({file}, {cut.url()}, folder.path());  // each round brings 60,000 bytes more
    CHECK(read_file(folder.path() / "a") == content);
    CHECK(cut.requests() == Requests{"/a", "/a", "/a 60000-", "/a 120000-", "/a 180000-"});
  }
  const TemporaryFolder folder;
  const HttpServer stingy({{"/a", {.body = content, .ranges = false, .close_after = 60'000}}});
  check_error<MissingDataError>([&] { download({file}, {stingy.url()}, folder.path()); },
                                {"a could not be downloaded", "it ended after 60000 of 200000 bytes",
                                 ", 60000 of 200000 bytes are kept for the next call"});
  CHECK(names_in(folder.path()) == std::vector<std::string>{"a.part"});
  download({file}, {honest.url()}, folder.path());
  CHECK(read_file(folder.path() / "a") == content);
  CHECK(names_in(folder.path()) == std::vector<std::string>{"a"});
  CHECK(honest.requests().back() == "/a 60000-");
}

TEST_CASE("a part that does not fit is begun anew, whoever is to blame") {
  const NoProxy no_proxy;
  const Bytes content = pattern(1000);
  const RemoteFile file = remote("a", content);
  const HttpServer honest({{"/a", {content}}});
  const HttpServer rangeless({{"/a", {.body = content, .ranges = false}}});
  const HttpServer elsewhere({{"/a", {.body = content, .wrong_start = 10}}});
  const auto resumed = [&](const Bytes& part, const HttpServer& server) {
    const TemporaryFolder folder;
    write_file(folder.path() / "a.part", part);
    download({file}, {server.url()}, folder.path());
    CHECK(read_file(folder.path() / "a") == content);
    CHECK(names_in(folder.path()).size() == 1);
    return server.requests();
  };
  CHECK(resumed(first(content, 400), rangeless) == Requests{"/a 400-"});
  CHECK(resumed(first(content, 400), elsewhere) == Requests{"/a 400-", "/a"});
  CHECK(resumed(first(changed(content, 0), 400), honest) == Requests{"/a 400-", "/a"});
  CHECK(resumed(content, honest).size() == 2);  // complete already: nobody is asked
  CHECK(resumed(changed(content, 999), honest).size() == 3);
  CHECK(resumed(pattern(2000), honest).size() == 4);

  // The server's file is shorter than the part: 416 without a body.
  const HttpServer shorter({{"/a", {first(content, 300)}}});
  const TemporaryFolder folder;
  write_file(folder.path() / "a.part", first(content, 400));
  download({file}, {shorter.url(), honest.url()}, folder.path());
  CHECK(shorter.requests() == Requests{"/a 400-", "/a"});
  CHECK(read_file(folder.path() / "a") == content);
}

TEST_CASE("a server that lies about the size, or sends more than the file has, is cut off") {
  const NoProxy no_proxy;
  const Bytes content = pattern(100'000);
  Bytes longer = content;
  longer.resize(2'000'000, 7);
  const HttpServer more({{"/a", {longer}}}), fewer({{"/a", {first(content, 99'999)}}});
  const HttpServer flood({{"/a", {.body = longer, .claimed_size = 100'000, .announces_length = false}}});
  const HttpServer early(
      {{"/a", {.body = first(content, 70'000), .claimed_size = 100'000, .announces_length = false}}});
  const HttpServer total({{"/a", {.body = content, .claimed_size = 90'000}}});
  const TemporaryFolder folder;
  const fs::path part = folder.path() / "a.part";
  write_file(part, first(content, 1000));  // stays through all of it
  const auto refused = [&](const HttpServer& server, std::initializer_list<const char*> parts) {
    check_error<MissingDataError>([&] { download({remote("a", content)}, {server.url()}, folder.path()); }, parts);
  };
  refused(more, {"it serves a file of 2000000 bytes, not of 100000"});
  refused(fewer, {"it serves a file of 99999 bytes, not of 100000"});
  refused(total, {"it serves a file of 90000 bytes, not of 100000"});
  refused(flood, {"it serves more than the file's 100000 bytes"});
  CHECK(read_file(part) == first(content, 1000));
  refused(early, {"it ended after 70000 of 100000 bytes", "70000 of 100000 bytes are kept"});
  CHECK(read_file(part) == first(content, 70'000));
}

TEST_CASE("a mirror that stalls is left, before its first byte or in the middle") {
  const NoProxy no_proxy;
  const Bytes content = pattern(300'000);
  const HttpServer silent({{"/a", {.body = content, .stall_after = 0}}});
  const HttpServer halting({{"/a", {.body = content, .stall_after = 100'000}}});
  const HttpServer honest({{"/a", {content}}});
  const TemporaryFolder folder;
  const auto start = Clock::now();
  download({remote("a", content)}, {silent.url(), halting.url(), honest.url()}, folder.path(), kImpatient);
  CHECK(Clock::now() - start < std::chrono::seconds(5));
  CHECK(read_file(folder.path() / "a") == content);
  CHECK(honest.requests() == Requests{"/a 100000-"});
}

TEST_CASE("no mirror has it: one line that says what was tried and what to do, soon, and nothing left behind") {
  const NoProxy no_proxy;
  const Bytes content = pattern(1000);
  const HttpServer none({});
  const HttpServer cut({{"/a", {.body = content, .ranges = false, .close_after = 600}}});
  const HttpServer liar({{"/a", {changed(content, 999)}}});
  const HttpServer silent({{"/a", {.body = content, .stall_after = 0}}});
  const TemporaryFolder folder;
  const auto start = Clock::now();
  check_error<MissingDataError>(
      [&] {
        download({remote("a", content)},
                 {kDeadMirror, none.url(), silent.url(), cut.url(), liar.url(), "ftp://127.0.0.1:1/"}, folder.path(),
                 kImpatient);
      },
      {"a could not be downloaded (http://127.0.0.1:1/a: cannot connect: ", "/a: it answers with HTTP status 404; ",
       "stalled: no data for 0.5 s", "it ended after 600 of 1000 bytes", "another sha256", "ftp",
       "put the published files into", folder.path().c_str()});
  CHECK(Clock::now() - start < std::chrono::seconds(5));
  CHECK(names_in(folder.path()).empty());
  check_error<MissingDataError>(
      [&] { download({remote("a", content)}, {none.url()}, folder.path() / "new" / "mnist"); }, {"HTTP status 404"});
  CHECK(names_in(folder.path()).empty());
}

TEST_CASE("a stop ends the download soon and keeps what has arrived") {
  const NoProxy no_proxy;
  const Bytes content = pattern(300'000);
  const HttpServer halting({{"/a", {.body = content, .stall_after = 100'000, .faulty_requests = 1}}});
  const TemporaryFolder folder;
  std::atomic<bool> stop = false;
  std::thread user([&] {
    while (!fs::exists(folder.path() / "a.part") || fs::file_size(folder.path() / "a.part") < 100'000)
      std::this_thread::yield();
    stop = true;
  });
  const DownloadOptions patient{.quiet = true, .stop = &stop};
  check_error<InterruptedError>([&] { download({remote("a", content)}, {halting.url()}, folder.path(), patient); },
                                {"interrupted, 100000 of 300000 bytes are kept for the next call"});
  user.join();
  download({remote("a", content)}, {halting.url()}, folder.path());
  CHECK(halting.requests() == Requests{"/a", "/a 100000-"});
  CHECK(read_file(folder.path() / "a") == content);
}

TEST_CASE("two downloads into one folder: the second waits and finds the file") {
  const NoProxy no_proxy;
  const Bytes content = pattern(3'000'000);
  const HttpServer server({{"/a", {.body = content, .close_after = 1'000'000, .faulty_requests = 1}}});
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "new";
  const auto run = [&] { download({remote("a", content)}, {server.url()}, place); };
  std::thread first_user(run), second_user(run);
  first_user.join();
  second_user.join();
  CHECK(server.requests() == Requests{"/a", "/a 1000000-"});
  CHECK(read_file(place / "a") == content);
  CHECK(names_in(place).size() == 1);

  const HeldFolder held(place, true, nullptr);
  const std::atomic<bool> stop = true;
  check_error<InterruptedError>([&] { HeldFolder(place, true, &stop); }, {"interrupted while waiting for"});
}

TEST_CASE("two downloads into a new folder without a network: neither takes the folder from under the other") {
  const NoProxy no_proxy;
  const TemporaryFolder folder;
  const auto run = [&] {
    for (int i = 0; i < 3; ++i)
      check_error<MissingDataError>(
          [&] { download({remote("a", pattern(10))}, {kDeadMirror}, folder.path() / "new" / "mnist"); },
          {"cannot connect: "});
  };
  std::thread other(run);
  run();
  other.join();
  CHECK(names_in(folder.path()).empty());
}

TEST_CASE("a folder that cannot be written is an IoError") {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", pattern(1));
  check_error<IoError>([&] { download({}, {}, folder.path() / "file" / "mnist"); }, {"file/mnist: cannot be created"});
  fs::create_directory(folder.path() / "a.part");
  check_error<IoError>(
      [&] {
        download({{"a", 1, ""}}, {kDeadMirror}, folder.path());
      },
      {"a.part: cannot be written: Is a directory"});
  fs::create_symlink("file", folder.path() / "b.part");
  check_error<IoError>([&] { download({{"b", 1, ""}}, {kDeadMirror}, folder.path()); }, {"b.part: cannot be written"});
  if (geteuid() == 0) {
    MESSAGE("the rest is skipped: root may write everywhere");
    return;
  }
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  check_error<IoError>(
      [&] {
        download({{"c", 1, ""}}, {kDeadMirror}, folder.path());
      },
      {"c.part: cannot be written: Permission denied"});
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("a disk that fills up ends the download in one line, and what has arrived can be continued") {
  const NoProxy no_proxy;
  const Bytes content = pattern(300'000);
  const HttpServer server({{"/a", {content}}});
  const TemporaryFolder folder;
  // A limit on the size of files stands in for the disk: it, too, ends a write half-way.
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{200'000, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  check_error<RunError>([&] { download({remote("a", content)}, {server.url()}, folder.path()); },
                        {"a.part: cannot be written: File too large"});
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  download({remote("a", content)}, {server.url()}, folder.path());
  CHECK(read_file(folder.path() / "a") == content);
  CHECK(server.requests() == Requests{"/a", "/a 200000-"});
}

TEST_CASE("proxies come from the environment") {
  const Bytes content = pattern(1000);
  const HttpServer proxy({{"http://data.invalid/a", {content}}});
  const ScopedVariable lower("no_proxy", nullptr), upper("NO_PROXY", nullptr);
  const ScopedVariable variable("http_proxy", proxy.url().c_str());
  const TemporaryFolder folder;
  download({remote("a", content)}, {"http://data.invalid/"}, folder.path());
  CHECK(read_file(folder.path() / "a") == content);
}

TEST_CASE("a terminal gets a bar") {
  const ScopedVariable term("TERM", "xterm"), plain("NO_COLOR", nullptr);
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
    MESSAGE("skipped: no pseudo-terminal can be opened on this machine");
    return;
  }
  std::FILE* const terminal = std::fopen(ptsname(master), "w");
  show_quarter(terminal);
  std::string text;
  char shown[1000];
  while (text.find("ETA") == std::string::npos || !text.ends_with("\033[K")) {
    const ssize_t count = read(master, shown, sizeof shown);
    REQUIRE(count > 0);
    text.append(shown, static_cast<size_t>(count));
  }
  std::fclose(terminal);
  close(master);
  CHECK(text.find("downloading http://mirror/set/a.gz (4.0 MiB)\r\n") != std::string::npos);
  CHECK(text.find("\r\033[Ka.gz [####............]  25 %  ") != std::string::npos);
  CHECK(text.find("MiB/s  ETA 0:00") != std::string::npos);
}

TEST_CASE("what is no terminal gets plain lines") {
  const TemporaryFolder folder;
  std::FILE* const file = std::fopen((folder.path() / "log").c_str(), "w");
  show_quarter(file);
  std::fclose(file);
  CHECK(read_file(folder.path() / "log") == to_bytes("downloading http://mirror/set/a.gz (4.0 MiB)\n"));
}

TEST_CASE("load_dataset downloads what is missing") {
  const NoProxy no_proxy;
  const HttpServer none({});
  const TemporaryFolder folder;
  LoadOptions options;
  options.quiet = true;
  options.mirrors = {none.url()};
  check_error<MissingDataError>([&] { load_dataset("mnist", folder.path(), options); },
                                {"train-images-idx3-ubyte.gz could not be downloaded", "/mnist/train-images",
                                 "HTTP status 404", "put the published files into", ", or use --dataset digits"});
  CHECK(none.requests() == Requests{"/mnist/train-images-idx3-ubyte.gz"});

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
