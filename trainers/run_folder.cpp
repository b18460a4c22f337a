#include "trainers/run_folder.h"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/safetensors.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kCheckpoint = "checkpoint.safetensors";

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

void append_text(const fs::path& path, const std::string& text) {
  append_to_file(path, std::as_bytes(std::span(text)));
}

void replace_text(const fs::path& path, const std::string& text) {
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(text))};
  write_file_atomically(path, parts);
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)), lock_(std::make_unique<FolderLock>(path_)) {
  remove_stale_temporaries(path_);
}

RunFolder RunFolder::create(const std::string& given, const RunConfig& config) {
  std::error_code error;
  fs::path path = given;
  if (!given.empty()) {
    fs::create_directories(path, error);
  } else {
    fs::create_directories("runs", error);
    const fs::path stem = fs::path("runs") / (time_text() + "-" + config.model + "-" + config.device.implementation);
    path = stem;
    for (int i = 2; !error && !fs::create_directory(path, error) && !error; ++i)
      path = stem.string() + "-" + std::to_string(i);
  }
  if (error) fail(path, error.message());
  if (!fs::is_directory(path, error)) fail(path, "it is not a folder");
  if (fs::exists(path / kConfig, error))
    throw UsageError("--out: " + path.string() + " holds a run already: continue it with --resume " + path.string() +
                     ", or name another folder");
  RunFolder folder(path);
  append_text(path / kMetrics, "");  // also when the folder is there but read-only
  return folder;
}

RunFolder RunFolder::reopen(const std::string& path) {
  RunFolder folder{fs::path(path)};
  append_text(folder.path_ / kMetrics, "");
  return folder;
}

void RunFolder::write_config(const nlohmann::json& config) const {
  replace_text(path_ / kConfig, config.dump(2) + "\n");
}

void RunFolder::append_metrics(const nlohmann::json& line) const {
  append_text(path_ / kMetrics, line.dump() + "\n");
}

void RunFolder::truncate_metrics(int64_t epochs) const {
  std::ifstream file(path_ / kMetrics);
  std::string kept, line;
  bool changed = false;
  while (std::getline(file, line)) {
    const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);  // a killed run may leave half a line
    const bool keep = entry.is_object() && entry.contains("epoch") && entry["epoch"].is_number_integer() &&
                      entry["epoch"].get<int64_t>() <= epochs;
    if (keep) kept += line + "\n";
    changed |= !keep;
  }
  if (changed) replace_text(path_ / kMetrics, kept);
}

void RunFolder::save_model(const Module& model) const {
  write_safetensors(path_ / "model.safetensors", to_host(model.state()), {{"format", "pt"}});
}

void RunFolder::save_best(const Module& model, int64_t epoch, double accuracy) const {
  write_safetensors(path_ / "best.safetensors", to_host(model.state()),
                    {{"format", "pt"}, {"epoch", std::to_string(epoch)}, {"test_accuracy", std::to_string(accuracy)}});
}

void RunFolder::save_checkpoint(Trainer& trainer, const RunState& state) const {
  write_safetensors(path_ / kCheckpoint, checkpoint_of(trainer, state));
}

std::optional<RunState> RunFolder::load_checkpoint(Trainer& trainer) const {
  const fs::path path = path_ / kCheckpoint;
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  return restore(trainer, read_safetensors(path), path.string());
}

}  // namespace cairn
