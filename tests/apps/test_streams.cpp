// Every program with a standard output or error that is full, closed or gone; signals, ignored ones too; terminals that
// cannot redraw. The table of programs is here and nowhere else.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

struct Program {
  const char* path;
  std::vector<std::string> arguments;  // of a short run that ends well, with messages and results
};

const std::vector<std::string> kBriefTraining = {"--model",   "linear", "--dataset", "digits", "--impl", "simd",
                                                 "--epochs",  "1",      "--steps",   "3",      "--out",  "r",
                                                 "--threads", "1",      "--lr",      "0.1"};

const std::vector<Program>& programs() {
  static const std::vector<Program> all = {
      {CAIRN_TRAIN, kBriefTraining},
      {CAIRN_PREDICT, {"--weights", "weights", "--dataset", "digits", "--impl", "simd", "--mistakes", "m.png"}},
      {CAIRN_DENOISE, {"--dataset", "digits", "--impl", "simd", "--filter", "mean"}},
      {CAIRN_BENCH,
       {"kernels", "--only", "softmax_forward", "--impl", "simd", "--small", "--repeats", "1", "--seconds", "0.001"}},
      {CAIRN_COMPARE,
       {"--model", "linear", "--recipe", "sgd", "--impl", "simd", "--dataset", "digits", "--steps", "1", "--epochs",
        "0"}},
      {CAIRN_FETCH, {"digits", "--data-dir", "data"}},
      {CAIRN_INFO, {"--datasets"}}};
  return all;
}

// A folder in which each program can be started, again and again.
struct Place {
  TemporaryFolder folder;
  Place() {
    const Result result = run(CAIRN_TRAIN, with(kBriefTraining, {"--out", "weights", "--quiet"}), folder.path);
    REQUIRE_MESSAGE(result.code == 0, result.error);
  }
  Result start(const Program& program, const std::function<void()>& before, bool quiet = false) const {
    fs::remove_all(folder.path / "r");
    std::vector<std::string> arguments = program.arguments;
    if (quiet && std::string(program.path) != CAIRN_INFO) arguments.push_back("--quiet");
    return run(program.path, arguments, folder.path, "", 0, SIGINT, before);
  }
};

// What becomes of a stream before the program starts.
struct Fate {
  const char* name;
  std::function<void(int stream)> befall;
  const char* reason;  // in the error text
};

// A terminal's end whose other end is gone: what a process keeps when its window is closed. -1: no terminal to be had.
int gone_terminal() {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return -1;
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  close(master);
  return terminal;
}

int gone_reader() {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  close(ends[0]);
  return ends[1];
}

std::vector<Fate> fates() {
  std::vector<Fate> all;
  all.push_back({"closed", [](int stream) { close(stream); }, "Bad file descriptor"});
  const int pipe = gone_reader();
  all.push_back({"a pipe whose reader is gone", [pipe](int stream) { dup2(pipe, stream); }, nullptr});
  if (access("/dev/full", W_OK) == 0)
    all.push_back(
        {"full", [](int stream) { dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), stream); }, "No space left on device"});
  else
    MESSAGE("skipped in part: there is no /dev/full");
  if (const int terminal = gone_terminal(); terminal >= 0)
    all.push_back(
        {"a terminal that is gone", [terminal](int stream) { dup2(terminal, stream); }, "Input/output error"});
  else
    MESSAGE("skipped in part: no pseudo-terminal is to be had");
  return all;
}

}  // namespace

TEST_CASE("messages that cannot be written change nothing") {
  const Place place;
  for (const Fate& fate : fates())
    for (const Program& program : programs()) {
      CAPTURE(fate.name);
      CAPTURE(program.path);
      const Result result = place.start(program, [&] { fate.befall(STDERR_FILENO); });
      const bool comparison = std::string(program.path) == CAIRN_COMPARE;  // its verdict is the processor's matter
      CHECK((result.code == 0 || (comparison && result.code == 1)));
      CHECK(!result.out.empty());
      CHECK(fs::exists(place.folder.path / "r/model.safetensors") == (std::string(program.path) == CAIRN_TRAIN));
    }
}

TEST_CASE("results that cannot be written are exit code 1 and one line; none where their reader is gone") {
  const Place place;
  for (const Fate& fate : fates())
    for (const Program& program : programs()) {
      CAPTURE(fate.name);
      CAPTURE(program.path);
      const Result result = place.start(
          program, [&] { fate.befall(STDOUT_FILENO); }, true);
      CHECK(result.code == 1);
      CHECK(fs::exists(place.folder.path / "r/model.safetensors") == (std::string(program.path) == CAIRN_TRAIN));
      if (fate.reason == nullptr) {
        CHECK_MESSAGE(result.error.empty(), result.error);
        continue;
      }
      CHECK_MESSAGE(line_count(result.error) == 1, result.error);
      const std::string name = fs::path(program.path).filename();
      CHECK_MESSAGE(result.error == name + ": the results cannot be written to standard output: " + fate.reason + "\n",
                    result.error);
    }
}

TEST_CASE("the help that cannot be written is exit code 1, too") {
  const TemporaryFolder folder;
  for (const Program& program : programs()) {
    CAPTURE(program.path);
    const Result result = run(program.path, {"--help"}, folder.path, "", 0, SIGINT, [] { close(STDOUT_FILENO); });
    CHECK(result.code == 1);
    CHECK(line_count(result.error) == 1);
  }
}

TEST_CASE("with all streams closed no message goes into a file") {
  const Place place;
  const auto all_closed = [] {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(stream);
  };
  for (const Program& program : programs()) CHECK(place.start(program, all_closed).code == 1);
  place.start(programs()[0], all_closed);
  for (const char* name : {"model.safetensors", "checkpoint.safetensors"})
    CHECK(read_file(place.folder.path / "r" / name) == read_file(place.folder.path / "weights" / name));
}

TEST_CASE("a training whose progress goes into a closed pipe goes on, saves and prints its result") {
  const TemporaryFolder folder;
  const int pipe = gone_reader();
  const Result result = run(CAIRN_TRAIN, with(kBriefTraining, {"--log-interval", "1"}), folder.path, "", 0, SIGINT,
                            [&] { dup2(pipe, STDERR_FILENO); });
  CHECK(result.code == 0);
  CHECK(result.out.find("test accuracy ") == 0);
  CHECK(fs::exists(folder.path / "r/model.safetensors"));
}

namespace {

// A training that sends itself signals as soon as it has begun, or a moment later, and says how it ended.
Result signalled(const fs::path& folder, const std::string& signals, const std::string& epochs,
                 const std::function<void()>& before = {}) {
  const std::string script =
      "( until [ -e r/config.json ]; do sleep 0.01; done; for s in " + signals +
      "; do kill -$s $$; done ) 2>/dev/null & exec \"$0\" --model linear --dataset digits --impl simd --threads 1 "
      "--eval-every 100000 --out r --quiet --epochs " +
      epochs;
  return run("/bin/sh", {"-c", script, CAIRN_TRAIN}, folder, "", 0, SIGINT, before);
}

}  // namespace

TEST_CASE("SIGHUP and SIGTERM save as Ctrl-C does, and a terminal's two SIGHUPs are not a second thought") {
  for (const char* signals : {"INT", "TERM", "HUP", "HUP HUP", "TERM HUP", "HUP TERM"}) {
    CAPTURE(signals);
    const TemporaryFolder folder;
    const Result result = signalled(folder.path, signals, "100000");
    CHECK_MESSAGE(result.code == 130, result.error);
    CHECK(fs::exists(folder.path / "r/checkpoint.safetensors"));
    CHECK(fs::exists(folder.path / "r/model.safetensors"));
  }
}

TEST_CASE("signals that were ignored at the start stay ignored, as under nohup and in a shell's background") {
  const TemporaryFolder folder;
  const Result result = signalled(folder.path, "HUP INT TERM", "3", [] {
    for (const int each : {SIGHUP, SIGINT, SIGTERM}) signal(each, SIG_IGN);
  });
  CHECK_MESSAGE(result.code == 0, result.error);
  CHECK(result.out.find("test accuracy ") == 0);
}

TEST_CASE("denoise, too, ends on SIGHUP and SIGTERM with exit code 130") {
  for (const char* signal : {"HUP", "TERM"}) {
    const TemporaryFolder folder;
    const std::string script =
        std::string(
            "\"$0\" --dataset digits --impl simd --filter deep-3 2>log & until grep -q images log; do sleep "
            "0.01; done; kill -") +
        signal + " $!; wait $!";
    const Result result = run("/bin/sh", {"-c", script, CAIRN_DENOISE}, folder.path);
    CHECK_MESSAGE(result.code == 130, signal);
    CHECK(read_file(folder.path / "log").find("denoise: interrupted in deep-3\n") != std::string::npos);
  }
}

namespace {

// What a training shows on a terminal, where its environment has these.
std::string shown_on_terminal(const std::vector<std::pair<const char*, const char*>>& environment) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE((master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0));
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(terminal >= 0);
  const TemporaryFolder folder;
  const Result result = run(CAIRN_TRAIN, kBriefTraining, folder.path, "", 0, SIGINT, [&] {
    for (const char* name : {"TERM", "NO_COLOR"}) unsetenv(name);
    for (const auto& [name, value] : environment) setenv(name, value, 1);
    dup2(terminal, STDERR_FILENO);
  });
  CHECK(result.code == 0);
  std::string text(65536, '\0');
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(master, text.data(), text.size()))));
  close(terminal);
  close(master);
  return text;
}

}  // namespace

TEST_CASE("escape sequences go only to a terminal that knows them and a user who wants them") {
  if (const int terminal = gone_terminal(); terminal < 0) {
    MESSAGE("skipped: no pseudo-terminal is to be had");
    return;
  } else {
    close(terminal);
  }
  CHECK(shown_on_terminal({{"TERM", "xterm"}}).find("\r\033[K") != std::string::npos);
  CHECK(shown_on_terminal({{"TERM", "xterm"}, {"NO_COLOR", ""}}).find("\r\033[K") != std::string::npos);
  using Environment = std::vector<std::pair<const char*, const char*>>;
  for (const Environment& plain :
       {Environment{{"TERM", "dumb"}}, Environment{{"TERM", "xterm"}, {"NO_COLOR", "1"}}, Environment{}}) {
    const std::string text = shown_on_terminal(plain);
    CHECK(text.find("epoch 1/1  train loss ") != std::string::npos);
    CHECK(text.find('\033') == std::string::npos);
    for (size_t at = text.find('\r'); at != std::string::npos; at = text.find('\r', at + 1))
      CHECK(text.substr(at, 2) == "\r\n");
  }
}

TEST_CASE("pictures, weights and settings come through pipes") {
  const Place place;
  const fs::path& at = place.folder.path;
  write_file(at / "picture.png", digit_png(0));
  const auto shell = [&](const std::string& script) {
    return run("/bin/sh", {"-c", script, CAIRN_PREDICT, CAIRN_TRAIN}, at);
  };
  const std::string by_name =
      shell("\"$0\" --weights weights picture.png --quiet").out.substr(std::string("picture.png").size());
  REQUIRE(!by_name.empty());
  REQUIRE(mkfifo((at / "pipe").c_str(), 0600) == 0);
  for (const auto& [name, script] : std::vector<std::pair<std::string, std::string>>{
           {"-", "cat picture.png | \"$0\" --weights weights --quiet -"},
           {"-", "\"$0\" --weights weights --quiet - <picture.png"},
           {"/dev/stdin", "cat picture.png | \"$0\" --weights weights --quiet /dev/stdin"},
           {"/dev/stdin", "\"$0\" --weights weights --quiet /dev/stdin <picture.png"},
           {"/dev/fd/9", "{ cat picture.png | \"$0\" --weights weights --quiet /dev/fd/9 9<&0; }"},
           {"pipe", "cat picture.png >pipe & \"$0\" --weights weights --quiet pipe"},
           {"picture.png",
            "cat weights/model.safetensors | \"$0\" --weights - --model linear --trained-on digits --quiet "
            "picture.png"},
       }) {
    const Result result = shell(script);
    CAPTURE(script);
    CHECK_MESSAGE(result.code == 0, result.error);
    CHECK(result.out == name + by_name);
  }
  const auto refused = [&](const std::string& script, const std::string& text) {
    const Result result = shell(script);
    CAPTURE(script);
    CHECK(result.code == 2);
    CHECK_MESSAGE(result.error == text + "\n", result.error);
  };
  refused("\"$0\" --weights weights - - <picture.png", "predict: standard input (-) can be read only once");
  refused("\"$0\" --weights - --model linear - <picture.png", "predict: standard input (-) can be read only once");
  refused("\"$1\" --config - --config - <weights/config.json",
          "train: --config: standard input (-) can be read only once");
  refused("\"$0\" --weights weights --quiet - </dev/null", "predict: -: is empty, not a PNG or JPEG file");
  refused("\"$0\" --weights weights --quiet - <&-", "predict: -: cannot be read: Bad file descriptor");
  const std::string picture = read_file(at / "picture.png");
  const size_t name = picture.find("IDAT");  // after its length, four bytes of which the last two count here
  REQUIRE(name != std::string::npos);
  const int length =
      static_cast<unsigned char>(picture[name - 2]) * 256 + static_cast<unsigned char>(picture[name - 1]);
  refused("head -c 100 picture.png | \"$0\" --weights weights --quiet -",
          "predict: -: is cut short: chunk IDAT has 42 of " + std::to_string(length) + " bytes");
  refused("\"$0\" --weights - </dev/null picture.png",
          "predict: --model is needed: there is no config.json beside - that names the network");

  const Result trained = shell("cat weights/config.json | \"$1\" --config - --quiet --out again");
  CHECK_MESSAGE(trained.code == 0, trained.error);
  CHECK(read_file(at / "again/model.safetensors") == read_file(at / "weights/model.safetensors"));
}

}  // namespace cairn::testing
