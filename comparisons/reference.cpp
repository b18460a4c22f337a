#include "comparisons/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <tuple>

#include "comparisons/files.h"
#include "framework/error.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kFormat = "cairn-reference";
constexpr size_t kSamples = 8;
constexpr uint64_t kSampleStride = 2654435761;  // 2^32 over the golden ratio
constexpr const char* kRemedy = "take the file that came with this version, or record it again";

// A place in a file, for errors: "lenet.json: cases[2].parity.losses".
class Place {
 public:
  Place(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

  [[noreturn]] void fail(const std::string& rule) const {
    throw DataError(fmt::format("{} {}; {}", path_, rule, kRemedy));
  }
  Place at(const char* name) const {
    if (!json_.is_object()) fail("is not an object");
    const auto found = json_.find(name);
    if (found == json_.end()) fail(fmt::format("has no '{}'", name));
    return {*found, path_ + (path_.ends_with(':') ? " " : ".") + name};
  }
  bool has(const char* name) const { return json_.is_object() && json_.contains(name); }
  std::string text() const {
    if (!json_.is_string()) fail("is not a text");
    return json_.get<std::string>();
  }
  double number() const {
    if (!json_.is_number() || !std::isfinite(json_.get<double>())) fail("is not a finite number");
    return json_.get<double>();
  }
  double positive() const {
    if (!(number() > 0)) fail("is not above 0");
    return number();
  }
  int64_t whole() const {
    if (!json_.is_number_integer() || json_.get<double>() < 0 || json_.get<double>() > 1e15)
      fail("is not a whole number");
    return json_.get<int64_t>();
  }
  std::vector<Place> items() const {
    if (!json_.is_array()) fail("is not a list");
    std::vector<Place> places;
    for (size_t i = 0; i < json_.size(); ++i) places.push_back({json_[i], fmt::format("{}[{}]", path_, i)});
    return places;
  }
  std::vector<double> numbers() const {
    std::vector<double> values;
    for (const Place& item : items()) values.push_back(item.number());
    return values;
  }
  // Two numbers: over the first ten steps, over all.
  std::pair<double, double> deviations() const {
    const std::vector<double> values = numbers();
    if (values.size() != 2) fail("does not hold two numbers");
    return {values[0], values[1]};
  }
  // Name and place of each entry.
  std::vector<std::pair<std::string, Place>> entries() const {
    if (!json_.is_object()) fail("is not an object");
    std::vector<std::pair<std::string, Place>> all;
    for (const auto& [name, value] : json_.items())
      all.emplace_back(name, Place(value, fmt::format("{}.{}", path_, in_quotes(name))));
    return all;
  }
  const Json& json() const { return json_; }

 private:
  const Json& json_;
  std::string path_;
};

std::vector<ReferenceGradient> read_gradients(const Place& place) {
  std::vector<ReferenceGradient> gradients;
  for (const Place& item : place.items()) {
    ReferenceGradient gradient;
    gradient.name = item.at("name").text();
    std::vector<int64_t> sizes;
    for (const Place& size : item.at("shape").items()) sizes.push_back(size.whole());
    if (sizes.empty() || sizes.size() > 4) item.at("shape").fail("does not have one to four sizes");
    for (const int64_t size : sizes)
      if (size < 1 || size > 1000000) item.at("shape").fail("holds a size that no network here has");
    gradient.shape = Shape(sizes);
    gradient.norm = item.at("norm").number();
    if (gradient.norm < 0) item.at("norm").fail("is negative");
    gradient.samples = item.at("samples").numbers();
    if (gradient.samples.size() != sample_places(gradient.shape.count()).size())
      item.at("samples").fail("does not have as many numbers as it should");
    gradients.push_back(std::move(gradient));
  }
  if (gradients.empty()) place.fail("is empty");
  return gradients;
}

std::vector<double> read_accuracies(const Place& place) {
  std::vector<double> accuracies;
  for (const Place& item : place.items()) {
    accuracies.push_back(item.number());
    if (accuracies.back() < 0 || accuracies.back() > 1) item.fail("is not between 0 and 1");
  }
  return accuracies;
}

void read_spread(const Place& place, ReferenceRun& run) {
  for (const auto& [name, accuracies] : place.at("seeds").entries()) {
    uint64_t seed = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), seed);
    if (end != name.data() + name.size() || error != std::errc()) accuracies.fail("is not of a seed");
    run.seeds[seed] = read_accuracies(accuracies);
  }
  for (const auto& [name, accuracies] : place.at("twins").entries()) run.twins[name] = read_accuracies(accuracies);
}

ReferenceRun read_run(const std::string& key, const Place& place) {
  ReferenceRun run;
  run.key = key;
  run.machine = place.at("machine").text();
  run.processor = place.at("processor").text();
  run.device = place.at("device").text();
  run.gpu = place.at("gpu").text();
  run.torch = place.at("torch").text();
  run.date = place.at("date").text();
  run.threads = place.at("threads").whole();
  std::tie(run.deviation_10, run.deviation_100) = place.at("deviation").deviations();
  if (place.has("epochs"))
    for (const Place& item : place.at("epochs").items()) {
      run.epochs.push_back({item.at("epoch").whole(), item.at("loss").number(), item.at("accuracy").number()});
      if (run.epochs.back().epoch != static_cast<int64_t>(run.epochs.size()))
        item.at("epoch").fail("is not the next epoch");
      if (run.epochs.back().accuracy < 0 || run.epochs.back().accuracy > 1)
        item.at("accuracy").fail("is not between 0 and 1");
    }
  if (place.has("spread")) read_spread(place.at("spread"), run);
  if (place.has("times")) {
    run.threads = place.at("times_threads").whole();
    for (const Place& item : place.at("times").items()) {
      ReferenceTime time{item.at("form").text(), item.at("data").text(), 0, 0, ""};
      if (item.has("failure")) {
        time.failure = item.at("failure").text();
      } else {
        time.step_ms = item.at("step_ms").positive();
        time.epoch_seconds = item.at("epoch_seconds").positive();
      }
      run.times.push_back(std::move(time));
    }
  }
  return run;
}

std::vector<double> read_losses(const Place& place) {
  std::vector<double> losses;
  for (const Place& loss : place.items()) losses.push_back(loss.positive());
  if (losses.size() < 10) place.fail("has fewer than ten numbers");
  return losses;
}

// One for each of so many losses.
std::vector<double> read_deviations(const Place& place, const char* name, size_t losses) {
  std::vector<double> deviations = place.at(name).numbers();
  if (deviations.size() != losses) place.at(name).fail("does not have as many numbers as there are losses");
  return deviations;
}

std::map<int64_t, std::vector<ReferenceGradient>> read_gradients_by_step(const Place& place) {
  std::map<int64_t, std::vector<ReferenceGradient>> by_step;
  for (const auto& [step, gradients] : place.entries()) {
    if (step != "1" && step != "10") gradients.fail("is of a step other than 1 and 10");
    by_step[step == "1" ? 1 : 10] = read_gradients(gradients);
  }
  if (!by_step.contains(1)) place.fail("has none of step 1");
  return by_step;
}

ReferenceCase read_case(const Place& place, const std::string& file, const std::string& model) {
  ReferenceCase result;
  result.file = file;
  result.model = model;
  result.recipe = place.at("recipe").text();
  result.dataset = place.at("dataset").text();
  result.seed = static_cast<uint64_t>(place.at("seed").whole());
  result.settings = place.at("settings").json();
  if (!result.settings.is_object()) place.at("settings").fail("is not an object");
  result.train_sha256 = place.at("train_sha256").text();
  const Place parity = place.at("parity");
  result.torch = parity.at("torch").text();
  if (parity.has("run")) result.parity_run = parity.at("run").text();
  result.losses = read_losses(parity.at("losses"));
  result.own_deviation = read_deviations(parity, "own_deviation", result.losses.size());
  result.gradients = read_gradients_by_step(parity.at("gradients"));
  if (place.has("double")) {
    const Place exact = place.at("double");
    ReferenceCase::InDouble& found = result.in_double;
    found = {
        exact.at("torch").text(), read_losses(exact.at("losses")), read_gradients_by_step(exact.at("gradients")), {}};
    found.own_deviation.assign(found.losses.size(), 0);
    if (exact.has("own_deviation")) found.own_deviation = read_deviations(exact, "own_deviation", found.losses.size());
  }
  for (const auto& [key, run] : place.at("runs").entries()) {
    result.runs.push_back(read_run(key, run));
    if (!run.has("deviation_by_step")) continue;
    const std::vector<double> others = read_deviations(run, "deviation_by_step", result.losses.size());
    for (size_t i = 0; i < others.size(); ++i) result.own_deviation[i] = std::max(result.own_deviation[i], others[i]);
  }
  return result;
}

}  // namespace

std::vector<int64_t> sample_places(int64_t count) {
  std::vector<int64_t> places;
  for (uint64_t k = 0; k < std::min<uint64_t>(kSamples, static_cast<uint64_t>(count)); ++k)
    places.push_back(static_cast<int64_t>(kSampleStride * (k + 1) % static_cast<uint64_t>(count)));
  return places;
}

fs::path resolve_references(const std::string& folder) {
  if (!folder.empty()) return folder;
  const char* from_environment = std::getenv("CAIRN_REFERENCES");
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / CAIRN_REFERENCES_INSTALLED;
  return fs::is_directory(installed, error) ? installed : fs::path(CAIRN_REFERENCES_SOURCE);
}

bool is_recorded(const fs::path& folder, const std::string& model) {
  std::error_code error;
  return fs::exists(folder / (model + ".json"), error);
}

std::vector<ReferenceCase> read_references(const fs::path& folder, const std::string& model) {
  const std::string file = (folder / (model + ".json")).string();
  const Json json = Json::parse(read_text(file), nullptr, false);
  if (json.is_discarded()) throw DataError(fmt::format("{}: is not JSON, or not all of it; {}", file, kRemedy));
  const Place root(json, file + ":");
  if (!root.has("format") || json["format"] != kFormat)
    throw DataError(fmt::format("{}: is not a recording of comparisons/references/record.py; {}", file, kRemedy));
  if (const int64_t version = root.at("version").whole(); version != kReferenceVersion)
    throw DataError(
        fmt::format("{}: has version {}, and this program reads {}; {}", file, version, kReferenceVersion, kRemedy));
  if (root.at("model").text() != model)
    throw DataError(fmt::format("{}: is of the model {}; {}", file, in_quotes(json["model"]), kRemedy));
  std::vector<ReferenceCase> cases;
  for (const Place& item : root.at("cases").items()) cases.push_back(read_case(item, file, model));
  return cases;
}

}  // namespace cairn::comparisons
