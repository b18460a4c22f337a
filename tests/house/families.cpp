// One family, one file name: where the functions of primitives stand. Not here: the other rules (rules.cpp).
#include "tests/house/families.h"

#include <fstream>
#include <map>
#include <regex>

namespace cairn::house {
namespace {

namespace fs = std::filesystem;

struct Primitive {
  std::string family, args;
};

// By name, as kernels/primitives.h lists them.
std::map<std::string, Primitive> primitives_of(const fs::path& list) {
  static const std::regex kEntry(R"(^ *PRIMITIVE\((\w+), (\w+), (\w+)\))");
  std::map<std::string, Primitive> primitives;
  std::ifstream file(list);
  std::smatch entry;
  for (std::string line; std::getline(file, line);)
    if (std::regex_search(line, entry, kEntry)) primitives[entry[2]] = {entry[1], entry[3]};
  return primitives;
}

// Whether a file's or folder's name is the family's, or begins with it and an underscore.
bool belongs(const std::string& name, const std::string& family) {
  if (name.rfind(family, 0) != 0) return false;
  return name.size() == family.size() || name[family.size()] == '.' || name[family.size()] == '_';
}

}  // namespace

std::vector<std::string> misplaced_primitives(const fs::path& root, const std::vector<std::string>& paths) {
  static const std::regex kFunction(R"(^(?:void|bool) (\w+)\([^;]*$)");
  static const std::regex kTest(R"x(^TEST_CASE\("(\w+)[":])x");
  static const std::regex kImplementation("^kernels/(?!runtime/)\\w+/([^/]+).*\\.(?:cpp|cu)$");
  static const std::regex kTestFile("^tests/kernels/test_([^/]+)$");
  const std::map<std::string, Primitive> primitives = primitives_of(root / "kernels/primitives.h");
  std::vector<std::string> violations;
  for (const std::string& path : paths) {
    std::smatch place, found;
    const bool is_test = std::regex_match(path, place, kTestFile);
    if (!is_test && !std::regex_match(path, place, kImplementation)) continue;
    const std::string name = place[1];
    std::ifstream file(root / path);
    size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (!std::regex_search(line, found, is_test ? kTest : kFunction)) continue;
      const auto primitive = primitives.find(found[1]);
      if (primitive == primitives.end() || belongs(name, primitive->second.family)) continue;
      if (!is_test && line.find("const " + primitive->second.args + "& ") == std::string::npos) continue;
      violations.push_back(path + ":" + std::to_string(number) + ": " + primitive->first + " is of the family " +
                           primitive->second.family + ", whose files and folders begin with that name");
    }
  }
  return violations;
}

}  // namespace cairn::house
