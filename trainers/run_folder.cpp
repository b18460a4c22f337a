#include "trainers/run_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/safetensors.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpoint = "checkpoint.safetensors";
constexpr const char* kModelPrefix = "model.";
constexpr const char* kOptimizerPrefix = "optimizer.";

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  return text;
}

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw IoError("cannot write " + path.string() + ": " + reason);
}

void write_text(const fs::path& path, const std::string& text, std::ios::openmode mode) {
  errno = 0;
  std::ofstream file(path, mode);
  file << text << std::flush;
  if (!file) fail(path, errno ? std::strerror(errno) : "the write failed");
}

}  // namespace

RunFolder::RunFolder(const std::string& path, const RunConfig& config) {
  std::error_code error;
  if (!path.empty()) {
    path_ = path;
    fs::create_directories(path_, error);
  } else {
    fs::create_directories("runs", error);
    const fs::path stem = fs::path("runs") / (time_text() + "-" + config.model + "-" + config.device.implementation);
    path_ = stem;
    for (int i = 2; !error && !fs::create_directory(path_, error) && !error; ++i)
      path_ = stem.string() + "-" + std::to_string(i);
  }
  if (error) fail(path_, error.message());
  if (!fs::is_directory(path_, error)) fail(path_, "it is not a folder");
  write_text(path_ / "metrics.jsonl", "", std::ios::app);  // also when the folder is there but read-only
}

void RunFolder::write_config(const nlohmann::json& config) const {
  write_text(path_ / "config.json", config.dump(2) + "\n", std::ios::trunc);
}

void RunFolder::append_metrics(const nlohmann::json& line) const {
  write_text(path_ / "metrics.jsonl", line.dump() + "\n", std::ios::app);
}

void RunFolder::save_model(const Module& model) const {
  write_safetensors(path_ / "model.safetensors", to_host(model.parameters()), {{"format", "pt"}});
}

void RunFolder::save_checkpoint(Trainer& trainer) const {
  std::vector<HostTensor> tensors = to_host(trainer.model().parameters(), kModelPrefix);
  for (HostTensor& state : to_host(trainer.optimizer().state(), kOptimizerPrefix)) tensors.push_back(std::move(state));
  HostTensor step{"step", DType::i64, {}, std::vector<std::byte>(sizeof(int64_t))};
  const int64_t steps = trainer.steps_done();
  std::memcpy(step.bytes.data(), &steps, sizeof steps);
  tensors.push_back(std::move(step));
  write_safetensors(path_ / kCheckpoint, tensors, {});
}

void load_checkpoint(Trainer& trainer, const fs::path& run_folder) {
  const fs::path path = run_folder / kCheckpoint;
  std::vector<HostTensor> weights, states;
  int64_t steps = -1;
  for (HostTensor& tensor : read_safetensors(path)) {
    if (tensor.name.rfind(kModelPrefix, 0) == 0) {
      tensor.name.erase(0, std::strlen(kModelPrefix));
      weights.push_back(std::move(tensor));
    } else if (tensor.name.rfind(kOptimizerPrefix, 0) == 0) {
      tensor.name.erase(0, std::strlen(kOptimizerPrefix));
      states.push_back(std::move(tensor));
    } else if (tensor.name == "step" && tensor.dtype == DType::i64 && tensor.shape == Shape{}) {
      std::memcpy(&steps, tensor.bytes.data(), sizeof steps);
    }
  }
  if (steps < 0) throw DataError(path.string() + " is not a checkpoint: it has no step");
  check_fit(trainer.optimizer().state(), states, path.string());
  load_tensors(trainer.model().parameters(), weights, path.string());
  load_tensors(trainer.optimizer().state(), states, path.string());
  trainer.set_steps_done(steps);
}

}  // namespace cairn
