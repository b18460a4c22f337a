// Runs a program as a user does and catches what it prints. Not here: what to expect of it.
#pragma once

#include <csignal>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace cairn::testing {

struct Result {
  int code = -1;
  std::string out, error;
};

// Runs `program` with the arguments in `folder`, standard input closed and CAIRN_DATA as given ("" = not set).
// interrupt_after_ms: sends `signal` after that time, unless the program has ended; 0 = never. code: the exit code, or
// minus the signal's number. before: called in the new process with its streams in place and its signals as a shell
// starts a program; only for calls that are safe between fork and exec.
Result run(const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& folder,
           const std::string& data = "", int interrupt_after_ms = 0, int signal = SIGINT,
           const std::function<void()>& before = {});

// A folder of its own for a test.
struct TemporaryFolder {
  TemporaryFolder();
  ~TemporaryFolder();
  std::filesystem::path path;
};

// The arguments, and then more of them.
std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more);
// What is on the last line of a program's output.
nlohmann::json last_line(const std::string& text);
// Number of lines, a last one without its end included.
int line_count(const std::string& text);
bool contains(const std::string& text, const std::string& part);
// The settings that a run left in its folder.
nlohmann::json config_of(const std::filesystem::path& folder);
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);
// A picture of one generated digit, as the bytes of a PNG file.
std::string digit_png(uint32_t index);

}  // namespace cairn::testing
