// Accesses out of bounds are reported by AddressSanitizer and UndefinedBehaviorSanitizer, with kernel, file and line.
// Runs the program of bounds_faults.cu, which is compiled with both in every build whose compiler has them.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace {

// Output and errors of `bounds_faults <fault> <past>`.
std::string report_of(const std::string& fault, int past) {
  const std::string command = "ASAN_OPTIONS=detect_leaks=1:color=never UBSAN_OPTIONS=print_stacktrace=1 '" +
                              std::string(CAIRN_BOUNDS_FAULTS) + "' " + fault + " " + std::to_string(past) + " 2>&1";
  const std::unique_ptr<FILE, decltype(&pclose)> output(popen(command.c_str(), "r"), &pclose);
  REQUIRE(output != nullptr);
  std::string text;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), output.get())) text += buffer.data();
  return text;
}

// "bounds_faults.cu:41": the line that bounds_faults.cu marks with "// line: <fault>".
std::string marked_line(const std::string& fault) {
  std::ifstream source(CAIRN_BOUNDS_SOURCE);
  std::string line;
  for (int number = 1; std::getline(source, line); ++number)
    if (line.ends_with("// line: " + fault)) return "bounds_faults.cu:" + std::to_string(number);
  return "(no such line)";
}

void check_report(const std::string& fault, int past, const std::string& kind) {
  const std::string report = report_of(fault, past);
  INFO(fault << ": " << report);
  CHECK(report.find(kind) != std::string::npos);
  CHECK(report.find(marked_line(fault)) != std::string::npos);
  CHECK(report.find(fault) != std::string::npos);
  CHECK(report.find("finished") == std::string::npos);
  CHECK(report_of(fault, 0).find(fault + " finished") != std::string::npos);  // and without the fault, silence
}

TEST_CASE("fault: past the end of a shared array") {
  check_report("static_shared", 1, "AddressSanitizer: global-buffer-overflow");
}
TEST_CASE("fault: past the end of a row, inside a shared array") {
  check_report("shared_row", 1, "runtime error: index 8 out of bounds for type 'float");
}
TEST_CASE("fault: past the end of dynamic shared memory") {
  check_report("dynamic_shared", 1, "AddressSanitizer: heap-buffer-overflow");
}
TEST_CASE("fault: past the end of a block's part of a cluster's shared memory, though the next block's follows") {
  check_report("cluster_memory", 1, "AddressSanitizer: use-after-poison");
}
TEST_CASE("fault: past the end of global memory") {
  check_report("global_memory", 1, "AddressSanitizer: heap-buffer-overflow");
}
TEST_CASE("fault: past the end of global memory, in a fiber") {
  check_report("global_after_barrier", 1, "AddressSanitizer: heap-buffer-overflow");
}
TEST_CASE("fault: past the end of a local array") {
  check_report("local_array", 1, "AddressSanitizer: stack-buffer-overflow");
}
#if !defined(__clang__)  // clang 14's check does not see vector types
TEST_CASE("fault: 16 bytes at an address that a GPU would refuse") {
  check_report("misaligned", 1, "runtime error: store to misaligned address");
}
#endif
TEST_CASE("correct kernels, and exceptions in them, are silent and leak nothing") {
  const std::string report = report_of("correct", 0);
  INFO(report);
  CHECK(report == "correct finished\n");
}

}  // namespace
