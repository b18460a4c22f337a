// What is removed from a folder in which a process was killed: its own half-written files, and nobody else's.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "framework/file.h"

namespace cairn::test {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("cairn-file-" + std::to_string(getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  void write(const std::string& name) const { std::ofstream(path / name) << "bytes"; }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(path)) all.insert(entry.path().filename());
    return all;
  }
  fs::path path;
};

}  // namespace

TEST_CASE("of a folder's temporary files only those go that a killed write of the named files left") {
  const Folder folder;
  const std::set<std::string> strangers = {"notes.tmp-old",     "thesis.tmp-2024-1", "a.json.tmp-",
                                           "a.json.tmp-1",      "a.json.tmp-1-",     "a.json.tmp--1",
                                           "a.json.tmp-1-2-3",  "a.json.tmp-1-2~",   "a.json.tmp-x1-2",
                                           "my-a.json.tmp-1-2", "b.json.tmp-1-2",    "a.json"};
  for (const std::string& name : strangers) folder.write(name);
  fs::create_directories(folder.path / "a.json.tmp-7-7");
  fs::create_symlink("a.json", folder.path / "a.json.tmp-8-8");
  folder.write("a.json.tmp-123-0");
  folder.write("c.json.tmp-4194304-17");
  const char* const files[] = {"a.json", "c.json"};
  remove_stale_temporaries(folder.path, files);
  std::set<std::string> left = strangers;
  left.insert({"a.json.tmp-7-7", "a.json.tmp-8-8"});
  CHECK(folder.names() == left);
}

}  // namespace cairn::test
