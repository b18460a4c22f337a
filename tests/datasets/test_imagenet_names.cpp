// ImageNet's classes in both orders.
#include "datasets/imagenet_names.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "datasets/sha256.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {

TEST_CASE("ImageNet's classes have the order of ILSVRC's files") {
  const std::vector<std::string> names = imagenet_class_names();
  REQUIRE(names.size() == 1000);
  CHECK(names[0] == "kit fox");
  CHECK(names[2] == "Siberian husky");
  CHECK(names[448] == "tench");
  CHECK(names[999] == "dumbbell");
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ";") + name;
  CHECK(sha256(to_bytes(all)) == "30d6d871bea80b018cb8f11c798b3c7372d29fad0358b7fc2de5bbfeb8d68588");
  CHECK(std::set(names.begin(), names.end()).size() == 1000);
}

TEST_CASE("ImageNet's classes have the order of WordNet's numbers too") {
  const std::vector<std::string>& numbers = imagenet_synsets();
  const std::vector<std::string> names = imagenet_synset_names();
  REQUIRE(numbers.size() == 1000);
  CHECK(std::ranges::is_sorted(numbers));
  CHECK(std::set(numbers.begin(), numbers.end()).size() == 1000);
  for (const std::string& number : numbers) {
    CHECK(number.size() == 9);
    CHECK(number[0] == 'n');
    CHECK(std::all_of(number.begin() + 1, number.end(), [](char digit) { return digit >= '0' && digit <= '9'; }));
  }
  const std::vector<std::string> listed = imagenet_class_names();
  CHECK(std::is_permutation(names.begin(), names.end(), listed.begin(), listed.end()));
  struct Known {
    size_t index;
    const char *number, *name;
  };
  for (const Known& known :
       {Known{0, "n01440764", "tench"}, Known{134, "n02012849", "crane (bird)"}, Known{281, "n02123045", "tabby"},
        Known{517, "n03126707", "crane"}, Known{638, "n03710637", "maillot"},
        Known{639, "n03710721", "maillot (tank suit)"}, Known{999, "n15075141", "toilet tissue"}}) {
    CHECK(numbers[known.index] == known.number);
    CHECK(names[known.index] == known.name);
  }
}

TEST_CASE("real data: WordNet's list has the same numbers, and each name first") {
  const char* const data = std::getenv("CAIRN_DATA");
  std::ifstream list(std::filesystem::path(data == nullptr ? "" : data) / "images/imagenet_synsets.txt");
  if (!list) {
    MESSAGE("skipped: CAIRN_DATA is not set, or has no list of ImageNet's classes");
    return;
  }
  const std::vector<std::string> names = imagenet_synset_names();
  size_t i = 0;
  for (std::string line; std::getline(list, line); ++i) {
    REQUIRE(i < names.size());
    const std::string name = names[i].substr(0, names[i].find(" ("));
    CAPTURE(line);
    CHECK(line.substr(0, line.find(',')) == imagenet_synsets()[i] + " " + name);
  }
  CHECK(i == 1000);
}

}  // namespace cairn::datasets
