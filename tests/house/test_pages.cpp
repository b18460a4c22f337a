// What the front page and docs/design.md say of the tree, counted.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <regex>

#include "tests/house/rules.h"

namespace cairn::house {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = CAIRN_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t count_lines(const fs::path& path) {
  const std::string text = read(path);
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Lines of C++ and CUDA below some folders.
size_t count_code(std::initializer_list<const char*> folders) {
  size_t lines = 0;
  for (const char* folder : folders)
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kRoot / folder))
      if (std::regex_match(entry.path().extension().string(), std::regex(R"(\.(cpp|h|cu|cuh))")))
        lines += count_lines(entry.path());
  return lines;
}

// The first number with a comma in it, such as 11,000, that follows `words`.
size_t number_after(const std::string& text, const std::string& words) {
  std::smatch match;
  const std::regex pattern(words + R"(\s+(\d+),(\d+))");
  INFO(words);
  REQUIRE(std::regex_search(text, match, pattern));
  return std::stoul(match[1].str() + match[2].str());
}

void check_close(size_t claimed, size_t counted) {
  INFO("counted: ", counted);
  CHECK(10 * claimed > 8 * counted);
  CHECK(8 * claimed < 10 * counted);
}

}  // namespace

TEST_CASE("the front page is short, and its counts are right") {
  const std::string readme = read(kRoot / "README.md");
  CHECK(count_lines(kRoot / "README.md") <= 60);
  check_close(number_after(readme, "trainers, data sets and programs are"),
              count_code({"framework", "models", "trainers", "datasets", "apps"}));
  check_close(number_after(readme, "The kernels are"), count_code({"kernels"}));

  size_t texts = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot / "docs/walkthroughs"))
    texts += std::regex_match(entry.path().filename().string(), std::regex(R"(\d-.*\.md)"));
  const std::array<std::string, 10> words = {"",     "one", "two",   "three", "four",
                                             "five", "six", "seven", "eight", "nine"};
  REQUIRE(texts < words.size());
  CHECK(readme.find("[" + words[texts] + " walkthroughs]") != std::string::npos);
}

TEST_CASE("docs/design.md names every program") {
  const std::string design = read(kRoot / "docs/design.md");
  const size_t start = design.find("the programs: ");
  REQUIRE(start != std::string::npos);
  const std::string line = design.substr(start, design.find('\n', start) - start);
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot / "apps")) {
    if (entry.path().extension() != ".cpp" || read(entry.path()).find("\nint main(") == std::string::npos) continue;
    const std::string name = entry.path().stem().string();
    INFO(name);
    CHECK(std::regex_search(line, std::regex("\\b" + name + "\\b")));
  }
}

TEST_CASE("what has run on a GPU is said in one place") {
  const std::regex claim(R"((run|ran)\s+on\s+a\s+GPU\s+yet|not\s+yet\s+(been\s+)?run\s+on\s+a\s+GPU)");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() != ".md" || entry.path().filename() == "gpu.md") continue;
    INFO(entry.path().string());
    CHECK_FALSE(std::regex_search(read(entry.path()), claim));
  }
}

}  // namespace cairn::house
