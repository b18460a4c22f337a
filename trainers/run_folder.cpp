#include "trainers/run_folder.h"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "datasets/word_index.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "framework/safetensors.h"
#include "trainers/tensorboard.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kCheckpoint = "checkpoint.safetensors";
constexpr const char* kBest = "best.safetensors";
constexpr const char* kModel = "model.safetensors";
constexpr const char* kAverage = "average.safetensors";
// Every file that is replaced as a whole.
constexpr const char* kReplaced[] = {kConfig, kMetrics, kCheckpoint,  kBest,
                                     kModel,  kAverage, kClassesFile, datasets::kWordsFile};
constexpr uint64_t kMaxTextBytes = uint64_t{1} << 30;

const SafetensorsMetadata kPyTorch = {{"format", "pt"}};

// Whether the file holds these weights.
bool holds(const fs::path& file, const Module& model) {
  std::map<std::string, std::vector<std::byte>> there, here;
  try {
    for (HostTensor& each : read_safetensors(file)) there[each.name] = std::move(each.bytes);
  } catch (const DataError&) {
    return false;  // none, or one that is to be replaced
  }
  for (HostTensor& each : to_host(model.state())) here[each.name] = std::move(each.bytes);
  return here == there;
}

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

// Empty: there is no such file. Throws DataError.
std::optional<std::string> read_text(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const InputFile file(path);
  if (file.size() > kMaxTextBytes)
    throw DataError(path.string() + ": has " + std::to_string(file.size()) + " bytes, too many for a run's text");
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)), lock_(std::make_unique<FolderLock>(path_)) {
  // Without a lock they may be another process's, which is just writing them.
  if (lock_->held()) remove_stale_temporaries(path_, kReplaced);
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

std::optional<RunConfig> RunFolder::read_config(const fs::path& folder) {
  const std::optional<std::string> text = read_text(folder / kConfig);
  if (!text) return {};
  const nlohmann::json settings = parse_json(*text);
  const std::string name = (folder / kConfig).string();
  if (!settings.is_object()) throw DataError(name + ": is not a JSON object with a run's settings");
  return config_from_json(settings, name);
}

std::string RunFolder::checkpoint_name(const fs::path& folder) {
  return (folder / kCheckpoint).string();
}

std::optional<std::vector<HostTensor>> RunFolder::read_checkpoint(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / kCheckpoint, error)) return {};
  return read_safetensors(folder / kCheckpoint);
}

bool RunFolder::holds_model(const fs::path& folder, Trainer& trainer) {
  bool average = true;
  if (trainer.average()) trainer.with_average([&] { average = holds(folder / kAverage, trainer.model()); });
  return average && holds(folder / kModel, trainer.model());
}

void RunFolder::copy_from(const fs::path& folder) const {
  std::vector<std::string> names = {kBest, kMetrics, kCheckpoint, kClassesFile, datasets::kWordsFile};
  for (const auto& entry : fs::directory_iterator(folder))
    if (TensorBoardLog::is_event_file(entry.path())) names.push_back(entry.path().filename());
  for (const std::string& name : names)
    if (const std::optional<std::string> bytes = read_text(folder / name)) replace_text(path_ / name, *bytes);
}

void RunFolder::write_config(const nlohmann::json& config) const {
  const std::string text = dump_json(config, 2) + "\n";
  if (read_text(path_ / kConfig) != text) replace_text(path_ / kConfig, text);
}

void RunFolder::write_words(const std::string& lines) const {
  write_lines(datasets::kWordsFile, lines);
}

void RunFolder::write_classes(const std::string& lines) const {
  write_lines(kClassesFile, lines);
}

void RunFolder::write_lines(const char* name, const std::string& lines) const {
  std::error_code ignored;  // a leftover cannot be known from a good one, and says so when it is read
  if (lines.empty())
    fs::remove(path_ / name, ignored);
  else if (read_text(path_ / name) != lines)
    replace_text(path_ / name, lines);
}

void RunFolder::append_metrics(const nlohmann::json& line) const {
  append_text(path_ / kMetrics, dump_json(line) + "\n");
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
  write_safetensors(path_ / kModel, to_host(model.state()), kPyTorch);
}

void RunFolder::save_average(const Module& averaged) const {
  write_safetensors(path_ / kAverage, to_host(averaged.state()), kPyTorch);
}

void RunFolder::save_best(Trainer& trainer, int64_t epoch, double accuracy) const {
  SafetensorsMetadata facts = kPyTorch;
  facts.insert({{"epoch", std::to_string(epoch)}, {"test_accuracy", std::to_string(accuracy)}});
  trainer.with_average([&] { write_safetensors(path_ / kBest, to_host(trainer.model().state()), facts); });
}

void RunFolder::save_checkpoint(Trainer& trainer, const RunState& state) const {
  write_safetensors(path_ / kCheckpoint, checkpoint_of(trainer, state));
}

}  // namespace cairn
