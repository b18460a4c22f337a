#include "comparisons/inference.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "comparisons/files.h"
#include "datasets/order.h"
#include "datasets/png.h"
#include "datasets/registry.h"
#include "framework/error.h"
#include "trainers/predictor.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;

datasets::Split test_images(const RunConfig& config) {
  datasets::LoadOptions load;
  load.quiet = true;
  load.check_hash = config.check_hash;
  return datasets::load_dataset(config.dataset, config.data_dir, load).test;
}

// Runs a program with its output in files, and gives back its exit code. It is a process group of its own, which a
// Ctrl-C on the terminal does not reach: it is soon done, and then the suite stops.
int run_program(const std::vector<std::string>& words, const fs::path& out, const fs::path& error) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), kFlags, 0666);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, error.c_str(), kFlags, 0666);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = 0;
  const int fault = posix_spawn(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (fault != 0) throw RunError(words[0] + ": cannot be run: " + std::strerror(fault));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// What `predict` says of these, in one JSON object; `name` is that of its files in the run's folder. seconds: of the
// process, its start included.
nlohmann::json ask(const fs::path& program, const RunConfig& config, const std::string& name, const std::string& where,
                   const std::vector<std::string>& what, double& seconds) {
  const fs::path folder = config.out;
  std::vector<std::string> words = {program,
                                    "--weights",
                                    folder,
                                    "--impl",
                                    config.device.implementation,
                                    "--device",
                                    where,
                                    "--threads",
                                    std::to_string(config.device.threads),
                                    "--json",
                                    "--quiet"};
  words.insert(words.end(), what.begin(), what.end());
  const fs::path out = folder / (name + ".json"), error = folder / (name + ".err");
  const auto begin = std::chrono::steady_clock::now();
  const int code = run_program(words, out, error);
  seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (code == 0) return read_object(out);
  const std::string text = read_text(error);
  throw RunError(fmt::format("{} ended with code {}: {}", program.string(), code, text.substr(0, text.find('\n'))));
}

nlohmann::json test_process(const RunConfig& config, int64_t batch_size, int64_t batches, const fs::path& program) {
  double seconds = 0;
  const nlohmann::json said = ask(
      program, config, "test", "cpu",
      {"--dataset", config.dataset, "--data-dir", config.data_dir, "--check-hash", config.check_hash ? "true" : "false",
       "--batch-size", std::to_string(batch_size), "--batches", std::to_string(batches)},
      seconds);
  return {{"batch_size", batch_size},      {"batches", said.at("batches")}, {"images", said.at("images")},
          {"seconds", said.at("seconds")}, {"process_seconds", seconds},    {"accuracy", said.at("test_accuracy")}};
}

}  // namespace

nlohmann::json timed_test(const RunConfig& config, const TestPlan& plan, bool quick, const fs::path& program) {
  constexpr int64_t kQuickBatches = 10;
  const datasets::Split once = test_images(config);
  const int64_t all = (once.count + plan.batch_size - 1) / plan.batch_size;
  int64_t batches = plan.batches > 0 ? plan.batches : all;
  if (quick) batches = std::min(batches, kQuickBatches);
  if (plan.own_process) return test_process(config, plan.batch_size, batches, program);
  const datasets::Split images = datasets::repeated(once, batches * plan.batch_size);
  const std::shared_ptr<Device> device = Device::open(config.device);
  Predictor predictor(device, find_weights({.path = config.out}));
  const TestReport report = predictor.evaluate(images, plan.batch_size);
  return {{"batch_size", plan.batch_size},
          {"batches", report.timing.batches},
          {"images", report.evaluation.count},
          {"seconds", report.timing.seconds},
          {"accuracy", report.evaluation.accuracy}};
}

nlohmann::json predicted_digits(const RunConfig& config, const fs::path& program) {
  const datasets::Split test = test_images(config);
  const Shape shape = image_shape(test);
  const std::span<const int32_t> labels = datasets::labels(test);
  const fs::path folder = config.out;
  const auto size = static_cast<std::ptrdiff_t>(shape.count());
  std::vector<std::string> words;
  for (int digit = 0; digit < 10; ++digit) {
    const auto found = std::ranges::find(labels, digit);
    if (found == labels.end()) continue;
    const auto image = images(test).begin() + (found - labels.begin()) * size;
    const datasets::Bytes png =
        datasets::encode_png({shape[2], shape[1], shape[0], datasets::Bytes(image, image + size)});
    words.push_back(folder / fmt::format("digit{}.png", digit));
    write_bytes(words.back(), std::as_bytes(std::span(png)));
  }
  double seconds = 0;
  const nlohmann::json printed = ask(program, config, "predict", config.device.where, words, seconds);
  nlohmann::json result = {
      {"process_seconds", seconds}, {"right", 0}, {"count", 0}, {"answers", nlohmann::json::array()}};
  for (const nlohmann::json& each : printed.at("predictions")) {
    const int label = fs::path(each.at("file").get<std::string>()).stem().string().back() - '0';
    const bool right = each.at("class") == label;
    result["right"] = result["right"].get<int>() + (right ? 1 : 0);
    result["count"] = result["count"].get<int>() + 1;
    result["answers"].push_back(
        {{"digit", label}, {"class", each.at("class")}, {"probability", each.at("probability")}});
  }
  return result;
}

}  // namespace cairn::comparisons
