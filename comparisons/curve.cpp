#include "comparisons/curve.h"

#include <algorithm>
#include <map>

#include "benchmarks/machine.h"
#include "comparisons/files.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "trainers/run.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;

constexpr const char* kResult = "result.json";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kInterruptions = "interruptions.jsonl";

// What a run folder holds at most at one time: weights, the best ones, and a checkpoint with up to two more numbers a
// weight, of which one file exists twice while it is replaced; and the texts.
int64_t room_for(const RunConfig& config) {
  DeviceOptions options;
  options.implementation = "reference";
  const std::shared_ptr<Device> device = Device::open(options);
  Initializer initializer = Initializer::none();
  const auto weights = find_model(config.model).build(device, initializer, DType::f32)->parameter_count();
  return weights * 4 * (1 + 1 + 3 + 3) + (1 << 20);
}

// A number of a line that a killed process, or a person, may have left in any state.
double number_in(const nlohmann::json& line, const char* name, double otherwise = 0) {
  const auto found = line.find(name);
  return found != line.end() && found->is_number() ? found->get<double>() : otherwise;
}

// Of an interruption: the time of the epoch in hand, which has no line of metrics yet, and the accuracy where it was.
nlohmann::json interruption(const nlohmann::json& summary, const std::vector<nlohmann::json>& before,
                            const std::vector<nlohmann::json>& after) {
  double seconds = summary["train_seconds"];
  for (const nlohmann::json& line : after)
    if (std::ranges::find(before, line) == before.end()) seconds -= number_in(line, "train_seconds");
  return {
      {"steps", summary["steps"]}, {"seconds", std::max(seconds, 0.0)}, {"test_accuracy", summary["test_accuracy"]}};
}

// Throws unless the object has these fields, as texts and as numbers.
void require(const nlohmann::json& object, const std::string& file, std::initializer_list<const char*> texts,
             std::initializer_list<const char*> numbers) {
  const auto check = [&](const char* name, auto is_right) {
    if (!object.is_object() || !object.contains(name) || !is_right(object[name]))
      throw DataError(file + ": has no '" + name + "' as it should; remove the folder to train again");
  };
  for (const char* name : texts) check(name, [](const nlohmann::json& value) { return value.is_string(); });
  for (const char* name : numbers) check(name, [](const nlohmann::json& value) { return value.is_number(); });
}

void check_result(const nlohmann::json& result, const std::string& file) {
  require(
      result, file,
      {"model", "recipe", "dataset", "impl", "device", "precision", "machine", "compiler", "version", "commit", "date"},
      {"threads", "seed", "steps", "test_accuracy", "batch_size", "cores"});
  if (!result.contains("points") || !result["points"].is_array())
    throw DataError(file + ": has no list 'points'; remove the folder to train again");
  for (const nlohmann::json& point : result["points"]) {
    require(point, file, {}, {"epoch", "steps", "seconds", "train_loss", "accuracy"});
    if (point.contains("train_accuracy")) require(point, file, {}, {"train_accuracy"});
  }
  if (result.contains("test")) require(result["test"], file, {}, {"batch_size", "batches", "seconds", "accuracy"});
  if (result.contains("digits")) require(result["digits"], file, {}, {"right", "count", "process_seconds"});
}

}  // namespace

std::vector<CurvePoint> read_points(const fs::path& folder) {
  const std::vector<nlohmann::json> interruptions = read_lines(folder / kInterruptions);
  std::vector<CurvePoint> points;
  double seconds = 0;
  int64_t previous_steps = 0;
  for (const nlohmann::json& line : read_lines(folder / kMetrics)) {
    CurvePoint point{static_cast<int64_t>(number_in(line, "epoch")),
                     static_cast<int64_t>(number_in(line, "steps")),
                     0,
                     number_in(line, "train_loss"),
                     number_in(line, "test_accuracy", -1),
                     {}};
    if (const double counted = number_in(line, "train_accuracy", -1); counted >= 0) point.train_accuracy = counted;
    seconds += number_in(line, "train_seconds");
    for (const nlohmann::json& each : interruptions) {
      const auto steps = static_cast<int64_t>(number_in(each, "steps"));
      if (steps > previous_steps && steps < point.steps) seconds += number_in(each, "seconds");
      if (steps == point.steps && point.accuracy < 0) point.accuracy = number_in(each, "test_accuracy", -1);
    }
    previous_steps = point.steps;
    point.seconds = seconds;
    if (point.accuracy >= 0) points.push_back(point);
  }
  return points;
}

std::optional<nlohmann::json> finished_result(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / kResult, error)) return {};
  nlohmann::json result = read_object(folder / kResult);
  check_result(result, (folder / kResult).string());
  return result;
}

std::optional<nlohmann::json> train_curve(const RunConfig& config, bool quiet, const std::atomic<bool>& stop) {
  const fs::path folder = config.out;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw IoError("cannot write " + folder.string() + ": " + error.message());
  check_room(folder, room_for(config));
  RunOptions options;
  options.quiet = quiet;
  options.stop = &stop;
  if (fs::exists(folder / "config.json", error)) options.resume = folder.string();
  const std::vector<nlohmann::json> before = read_lines(folder / kMetrics);
  const RunResult run = run_training(config, options);
  if (run.interrupted) {
    append_line(folder / kInterruptions, interruption(run.summary, before, read_lines(folder / kMetrics)));
    return {};
  }

  nlohmann::json result;
  result["points"] = nlohmann::json::array();
  for (const char* name : {"model", "recipe", "dataset", "impl", "device", "precision", "threads", "seed", "epochs",
                           "steps", "test_accuracy", "peak_memory_bytes"})
    result[name] = run.summary[name];
  result["batch_size"] = config.training.batch_size;
  result["held_out"] = config.training.validation_count;
  for (const CurvePoint& point : read_points(folder)) {
    result["points"].push_back({{"epoch", point.epoch},
                                {"steps", point.steps},
                                {"seconds", point.seconds},
                                {"train_loss", point.train_loss},
                                {"accuracy", point.accuracy}});
    if (point.train_accuracy) result["points"].back()["train_accuracy"] = *point.train_accuracy;
  }
  const benchmarks::Machine machine = benchmarks::this_machine();
  result.update({{"machine", machine.title()},
                 {"cores", machine.cores},
                 {"compiler", machine.compiler},
                 {"version", machine.version},
                 {"commit", machine.commit},
                 {"date", machine.date}});
  return result;
}

void write_result(const fs::path& folder, const nlohmann::json& result) {
  write_text(folder / kResult, dump_json(result, 1) + "\n");
}

}  // namespace cairn::comparisons
