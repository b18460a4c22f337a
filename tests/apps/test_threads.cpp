// --threads: how many there are by default, and what is said of more than the process may use.
#include <doctest/doctest.h>
#include <sched.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

// For the programs that a test starts: they may use the first CPU of those that this process may use.
class OneCpu {
 public:
  OneCpu() {
    REQUIRE(sched_getaffinity(0, sizeof before_, &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &before_)) ++cpu;
    CPU_SET(cpu, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  }
  ~OneCpu() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the default number of threads is what the process may use, and more is said in a line") {
  const TemporaryFolder folder;
  const OneCpu affinity;
  const std::vector<std::string> arguments = {"--model", "linear", "--dataset", "digits",
                                              "--impl",  "simd",   "--dry-run"};
  const Result usual = run(CAIRN_TRAIN, arguments, folder.path);
  CHECK(usual.code == 0);
  CHECK_MESSAGE(has(usual.error, ", 1 thread\n"), usual.error);
  CHECK(!has(usual.error, "--threads"));

  const char* const line = "train: --threads 3 is more than this process may use (1 CPU by its affinity)";
  const Result more = run(CAIRN_TRAIN, with(arguments, {"--threads", "3"}), folder.path);
  CHECK(more.code == 0);
  CHECK_MESSAGE(has(more.error, ", 3 threads\n"), more.error);
  CHECK_MESSAGE(has(more.error, line), more.error);
  CHECK(more.error.find("is more than", more.error.find(line) + std::string(line).size()) == std::string::npos);
  CHECK(run(CAIRN_TRAIN, with(arguments, {"--threads", "3", "--quiet"}), folder.path).error.empty());
}

TEST_CASE("a number of threads that is refused is refused in one line") {
  const TemporaryFolder folder;
  const Result result = run(CAIRN_TRAIN, {"--dataset", "digits", "--threads", "1025"}, folder.path);
  CHECK(result.code == 2);
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
}

}  // namespace cairn::testing
