// Python as the other side of an exchange of files: the interpreter that CAIRN_TEST_PYTHON names. Not here: what is
// exchanged; which ctest entry such a case is (tests/CMakeLists.txt).
#pragma once

#include <filesystem>
#include <string>

namespace cairn::testing {

// Whether CAIRN_TEST_PYTHON names a Python that imports these modules ("torch, safetensors"). If not, says that the
// test is skipped.
bool has_python_with(const std::string& modules);

// Runs `python script arguments` in the folder and returns whether it succeeded; what it prints is the test's output.
bool run_python(const std::filesystem::path& script, const std::string& arguments, const std::filesystem::path& folder);

}  // namespace cairn::testing
