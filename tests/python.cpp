#include "tests/python.h"

#include <doctest/doctest.h>

#include <cstdlib>

namespace cairn::testing {
namespace {

bool succeeds(const std::string& command) {
  return std::system(command.c_str()) == 0;
}

std::string python() {
  const char* name = std::getenv("CAIRN_TEST_PYTHON");
  return name ? std::string("'") + name + "'" : "";
}

}  // namespace

bool has_python_with(const std::string& modules) {
  const bool found = !python().empty() && succeeds(python() + " -c 'import " + modules + "' 2>/dev/null");
  if (!found) MESSAGE("skipped: CAIRN_TEST_PYTHON does not name a Python with ", modules);
  return found;
}

bool run_python(const std::filesystem::path& script, const std::string& arguments,
                const std::filesystem::path& folder) {
  return succeeds("cd '" + folder.string() + "' && " + python() + " '" + script.string() + "' " + arguments);
}

}  // namespace cairn::testing
