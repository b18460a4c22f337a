// A machine is told by what its processor says it is. The folder cpuinfo holds texts of /proc/cpuinfo, each under the
// name that it must get; tests/comparisons/references/test_machine.py holds the recorder to the same.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "benchmarks/machine.h"
#include "tests/apps/command.h"

namespace cairn::benchmarks {
namespace {

const std::filesystem::path kTexts = std::filesystem::path(CAIRN_SOURCE_DIR) / "tests/benchmarks/cpuinfo";

}  // namespace

TEST_CASE("every processor gets the name of its text") {
  int texts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kTexts)) {
    const Processor processor = identify_processor(testing::read_file(entry.path()));
    CHECK(processor.key + "-" + std::to_string(processor.count) + "-cores" == entry.path().stem().string());
    ++texts;
  }
  CHECK(texts > 10);
}

TEST_CASE("one name as sold, three processors") {
  std::set<std::string> keys;
  for (const char* file :
       {"amd-25-1-1-avx2-2-cores.txt", "amd-25-17-1-avx512-2-cores.txt", "amd-25-17-1-avx2-2-cores.txt"}) {
    const Processor processor = identify_processor(testing::read_file(kTexts / file));
    CHECK(processor.name == "AMD EPYC");
    keys.insert(processor.key);
  }
  CHECK(keys.size() == 3);
}

TEST_CASE("no text, or one of no processor") {
  for (const char* text : {"", "\n", "vendor_id : AuthenticAMD\n", "processor", ":\n::\n"}) {
    const Processor processor = identify_processor(text);
    CHECK(processor.key == "unknown-processor");
    CHECK(processor.name == "unknown-processor");
    CHECK(processor.count == 0);
  }
}

TEST_CASE("a machine is the recorded one if all of it is known and the same") {
  Machine machine;
  machine.folder = "amd-25-17-1-avx512-2-cores";
  CHECK(machine.is("amd-25-17-1-avx512-2-cores"));
  CHECK_FALSE(machine.is("amd-25-17-1-avx512-4-cores"));
  CHECK_FALSE(machine.is("amd-25-17-1-avx2-2-cores"));
  CHECK_FALSE(machine.is("amd-25-unknown-unknown-avx2-2-cores"));
  CHECK_FALSE(machine.is("amd-epyc-2-cores"));
  CHECK_FALSE(machine.is(""));
  for (const char* folder : {"amd-25-unknown-unknown-avx2-2-cores", "unknown-processor-2-cores"}) {
    machine.folder = folder;
    CHECK_FALSE(machine.is(folder));
  }
}

TEST_CASE("this machine has a folder and a name") {
  const Machine machine = this_machine();
  CHECK(machine.cores >= 1);
  CHECK(machine.folder.ends_with("-" + std::to_string(machine.cores) + "-cores"));
  CHECK_FALSE(machine.name.empty());
  CHECK(machine.title() == machine.name + " (" + machine.folder + ")");
}

}  // namespace cairn::benchmarks
