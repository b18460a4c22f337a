#include "tests/apps/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "datasets/digits.h"
#include "datasets/png.h"

namespace cairn::testing {
Result run(const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& folder,
           const std::string& data, int interrupt_after_ms, int signal, const std::function<void()>& before) {
  const TemporaryFolder output;
  const std::string out = output.path / "out", error = output.path / "error";
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    // Only calls that are safe between fork and exec, apart from the environment of a process with one thread.
    if (chdir(folder.c_str()) != 0) _exit(126);
    if (data.empty())
      unsetenv("CAIRN_DATA");
    else
      setenv("CAIRN_DATA", data.c_str(), 1);
    setenv("CAIRN_MIRROR", "http://127.0.0.1:9/", 1);  // nothing is downloaded in a test
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDOUT_FILENO);
    dup2(open(error.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDERR_FILENO);
    for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(each, SIG_DFL);  // tests may run under nohup
    if (before) before();
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  if (interrupt_after_ms > 0) {
    usleep(static_cast<useconds_t>(interrupt_after_ms) * 1000);
    kill(child, signal);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_file(out), read_file(error)};
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "cairn-test-XXXXXX";
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make a temporary folder");
  path = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all, ignored);
  std::filesystem::remove_all(path, ignored);
}

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

nlohmann::json last_line(const std::string& text) {
  const size_t end = text.find_last_not_of('\n');
  const size_t begin = text.rfind('\n', end);
  return nlohmann::json::parse(text.substr(begin == std::string::npos ? 0 : begin + 1));
}

int line_count(const std::string& text) {
  const auto ends = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  return ends + (!text.empty() && text.back() != '\n');
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

nlohmann::json config_of(const std::filesystem::path& folder) {
  return nlohmann::json::parse(read_file(folder / "config.json"));
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string digit_png(uint32_t index) {
  datasets::Picture picture{28, 28, 1, datasets::Bytes(784)};
  datasets::draw_digit(0, datasets::DigitsSplit::kTest, index, picture.pixels);
  const datasets::Bytes bytes = datasets::encode_png(picture);
  return {bytes.begin(), bytes.end()};
}

}  // namespace cairn::testing
