#include "trainers/run_parts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/error.h"
#include "framework/json_text.h"

namespace cairn {
namespace {

// What weights, steps and the order of batches were counted and drawn by.
const std::vector<const char*> kFixed = {"model",      "recipe",       "seed",      "validation-count",
                                         "batch-size", "drop-last",    "optimizer", "average",
                                         "vocabulary", "top-specials", "weights",   "freeze"};
// What makes no difference to the results.
const std::set<std::string> kWithoutEffect = {"check-hash", "data-dir",   "stream",      "threads",
                                              "save-every", "save-steps", "tensorboard", "train-accuracy"};

constexpr const char* kUntil = "until";

nlohmann::json flat(RunConfig config) {
  config.earlier.clear();
  return to_json(config);
}

// What `before` has otherwise than `now`. Other data may lie in another folder.
nlohmann::json difference(const nlohmann::json& before, const nlohmann::json& now) {
  const bool other_data = before["dataset"] != now["dataset"] || before["data-sha256"] != now["data-sha256"];
  nlohmann::json result = nlohmann::json::object();
  for (const auto& [name, value] : before.items())
    if (value != now[name] && (!kWithoutEffect.contains(name) || (name == "data-dir" && other_data)))
      result[name] = value;
  return result;
}

std::string shown(const nlohmann::json& setting) {
  return setting.is_string() ? setting.get<std::string>() : dump_json(setting);
}

[[noreturn]] void refuse_earlier(const std::string& what) {
  throw UsageError("--earlier: " + what + R"(; it comes from config.json: [{"until": STEP, "lr": 0.1}, ...])");
}

}  // namespace

std::vector<RunPart> parts_of(const RunConfig& config) {
  std::vector<RunPart> parts;
  const nlohmann::json last = flat(config);
  const nlohmann::json earlier = config.earlier.empty() ? nlohmann::json::array() : parse_json(config.earlier);
  if (!earlier.is_array()) refuse_earlier("is not a JSON list");
  int64_t begin = 0;
  for (nlohmann::json each : earlier) {
    const auto until = each.find(kUntil);
    if (!each.is_object() || until == each.end() || !until->is_number_integer() || until->get<int64_t>() <= begin)
      refuse_earlier("each part needs an 'until', a step after the last part's");
    begin = until->get<int64_t>();
    each.erase(kUntil);
    for (const auto& [name, value] : each.items())
      if (!last.contains(name)) refuse_earlier("there is no setting '" + name + "'");
    nlohmann::json settings = last;
    settings.update(each);
    try {
      parts.push_back({config_from_json(settings, "--earlier"), begin});
    } catch (const DataError& error) {
      throw UsageError(error.what());
    }
    parts.back().config.out = config.out;
  }
  parts.push_back({config});
  parts.back().config.earlier.clear();
  return parts;
}

const RunPart& part_after(const std::vector<RunPart>& parts, int64_t steps) {
  return *std::ranges::find_if(parts, [&](const RunPart& part) { return part.end > steps; });
}

RunConfig continued(const RunConfig& record, RunConfig asked, int64_t steps, const std::string& folder) {
  const nlohmann::json before = flat(record), now = flat(asked);
  for (const char* name : kFixed)
    if (before[name] != now[name])
      throw UsageError(std::string("--") + name + " " + shown(now[name]) + ": the run in " + folder + " has " +
                       shown(before[name]) + ", and that cannot change within a run: start another one");
  if (!asked.earlier.empty() && asked.earlier != record.earlier)
    throw UsageError("--earlier: what the run in " + folder + " had before is in its config.json, and does not change");
  asked.earlier = record.earlier;
  if (difference(before, now).empty()) return asked;
  nlohmann::json earlier = nlohmann::json::array();
  int64_t begin = 0;
  for (const RunPart& part : parts_of(record)) {
    const int64_t end = std::min(part.end, steps);
    nlohmann::json settings = difference(flat(part.config), now);
    if (end <= begin || (end == steps && settings.empty())) break;
    settings[kUntil] = begin = end;
    earlier.push_back(std::move(settings));
  }
  asked.earlier = earlier.empty() ? "" : dump_json(earlier);
  return asked;
}

}  // namespace cairn
